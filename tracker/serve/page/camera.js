/** The camera of the computer in front of the browser. */

import { cameraProblem, PROBLEMS } from "./problems.js";
import { FrameSender } from "./sender.js";

/** A camera as a source: its frames are tracked from ``start`` to ``stop``. */
export class Camera {
  name = "camera";
  canPause = true;
  isOwn = true;
  #video = document.createElement("video");
  #stream = null;
  #sender = null;
  #firstMs = null;
  #lastMs = -Infinity;
  #mostPixels;
  #on;
  #choice;

  /** ``choice`` is {deviceId, width, height}, ``mostPixels`` and ``on`` are what FrameSender takes. */
  constructor(choice, mostPixels, on) {
    this.#mostPixels = mostPixels;
    this.#choice = choice;
    this.#on = on;
    this.#video.muted = true;
    this.#video.playsInline = true;
  }

  /** Open the camera; raises a Problem where there is none, or where it is refused. */
  async start(query) {
    if (!navigator.mediaDevices) throw PROBLEMS.insecure();
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: this.#wanted() });
    } catch (error) {
      throw cameraProblem(error);
    }
    const [track] = this.#stream.getVideoTracks();
    track.onended = () => this.#on.problem(PROBLEMS.unplugged());
    this.name = track.label || "camera";
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#sender = new FrameSender(
      this.#video,
      query,
      (...times) => this.#time(...times),
      this.#mostPixels,
      this.#on,
    );
  }

  restart(query) {
    this.#sender.restart(query);
  }

  pause() {
    this.#sender?.pause();
  }

  resume() {
    this.#sender?.resume();
  }

  stop() {
    this.#sender?.stop();
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#video.srcObject = null;
  }

  #wanted() {
    const { deviceId, width, height } = this.#choice;
    return {
      width: { ideal: width },
      height: { ideal: height },
      frameRate: { ideal: 30 },
      ...(deviceId ? { deviceId: { exact: deviceId } } : {}),
    };
  }

  /** Seconds since the first frame; the browser estimates when a frame was captured, and may step back. */
  #time({ captureTime }, nowMs) {
    const timeMs = captureTime ?? nowMs;
    this.#firstMs ??= timeMs;
    this.#lastMs = Math.max(timeMs, this.#lastMs + 1);
    return (this.#lastMs - this.#firstMs) / 1000;
  }
}

/** Return the cameras of this computer; their names are known once one was allowed. */
export async function listCameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter(({ kind, deviceId }) => kind === "videoinput" && deviceId);
}

/** Frames of a video element to the server, and the answers to the screen, each with its own frame. */

import { Link } from "./link.js";
import { asProblem, Problem } from "./problems.js";

const MOST_IN_FLIGHT = 2;

/**
 * The tracking of a playing video element over one connection, which is one tracker of the server.
 *
 * At most two frames are on their way; when an answer has come, the next frame of the video follows, and
 * those between are never sent. ``clock(metadata)`` returns the time of a frame in seconds. Frames of more
 * than ``mostPixels`` pixels are made smaller.
 *
 * ``on.shown(picture, record, capturedMs)`` gets each answer with the picture that it is for,
 * ``on.state(text)`` and ``on.problem(problem)`` are those of a Link, and ``on.restarted()`` says that ids
 * start again.
 */
export class FrameSender {
  #video;
  #clock;
  #mostPixels;
  #on;
  #query;
  #link = null;
  #encoder = new Worker("/page/encoder.js");
  #encoding = new Map(); // frames at the encoder by their numbers: their times
  #waiting = new Map(); // frames at the server by its numbers: their times and pictures
  #taken = 0;
  #sent = 0; // on this connection, as the server counts
  #newest = null; // times of the frame that the element shows, until it is taken
  #lastS = -Infinity;
  #request = 0;
  #paused = false;

  constructor(video, query, clock, mostPixels, on) {
    this.#video = video;
    this.#query = query;
    this.#clock = clock;
    this.#mostPixels = mostPixels;
    this.#on = on;
    this.#encoder.onmessage = ({ data }) => this.#encoded(data);
    this.#encoder.onerror = (event) => on.problem(asProblem(event.error ?? new Error(event.message)));
    this.restart();
    this.#listen();
  }

  /** Begin with a new tracker, of another ``query`` where one is given. */
  restart(query = this.#query) {
    this.#query = query;
    this.#link?.close();
    this.#lastS = -Infinity;
    this.#link = new Link("/ws/camera", query, {
      open: () => this.#opened(),
      message: (text) => this.#answered(JSON.parse(text)),
      state: this.#on.state,
      problem: this.#on.problem,
      isDue: () => this.#waiting.size > 0,
    });
  }

  /** Send nothing until ``resume``. */
  pause() {
    this.#paused = true;
  }

  resume() {
    this.#paused = false;
    this.#takeIfStill();
  }

  stop() {
    this.#video.cancelVideoFrameCallback(this.#request);
    this.#link.close();
    this.#encoder.terminate();
    this.#forget();
  }

  #listen() {
    this.#request = this.#video.requestVideoFrameCallback((nowMs, metadata) => {
      this.#newest = { timeS: this.#clock(metadata, nowMs), capturedMs: metadata.captureTime ?? nowMs };
      this.#take();
      this.#listen();
    });
  }

  #opened() {
    this.#forget();
    this.#on.restarted();
    this.#takeIfStill();
  }

  #forget() {
    for (const { picture } of this.#waiting.values()) picture.close();
    this.#waiting.clear();
    this.#encoding.clear();
    this.#sent = 0;
  }

  /**
   * Take the newest frame, if there is one and the way is free.
   *
   * Only when its time is told, or while the video stands still, is it sure to be the one that is copied.
   */
  async #take() {
    const frame = this.#newest;
    const inFlight = this.#encoding.size + this.#waiting.size;
    if (!frame || this.#paused || !this.#link.isOpen || inFlight >= MOST_IN_FLIGHT) return;
    if (frame.timeS < this.#lastS) {
      this.restart(); // the video was turned back: a tracker's time runs forward
      return;
    }
    this.#newest = null;
    if (frame.timeS === this.#lastS) return; // the same frame again, as after a pause
    this.#lastS = frame.timeS;
    const number = this.#taken++;
    this.#encoding.set(number, frame);
    try {
      const picture = await createImageBitmap(this.#video, fitted(this.#video, this.#mostPixels));
      this.#encoder.postMessage({ number, picture }, [picture]);
    } catch (error) {
      this.#encoding.delete(number);
      this.#on.problem(asProblem(error));
    }
  }

  #takeIfStill() {
    if (this.#video.paused) this.#take();
  }

  #encoded({ number, picture, bytes, error }) {
    if (error) this.#on.problem(new Problem("The browser cannot encode pictures", `${error}.`));
    const frame = this.#encoding.get(number);
    this.#encoding.delete(number);
    if (!frame || !bytes || !this.#link.isOpen) {
      picture?.close(); // taken for a connection that is lost since
      return;
    }
    const message = new Uint8Array(8 + bytes.byteLength);
    new DataView(message.buffer).setFloat64(0, frame.timeS, true);
    message.set(new Uint8Array(bytes), 8);
    this.#link.send(message);
    this.#waiting.set(this.#sent++, { ...frame, picture });
  }

  #answered(record) {
    const frame = this.#waiting.get(record.frame);
    this.#waiting.delete(record.frame);
    if (frame) this.#show(frame, record);
    this.#takeIfStill();
  }

  #show({ picture, capturedMs }, record) {
    if (record.error || record.skipped) {
      picture.close();
      if (record.error) this.#on.state(record.error);
      return;
    }
    this.#on.shown(picture, record, capturedMs);
  }
}

/** Return the options of createImageBitmap with which a video has at most ``mostPixels`` pixels. */
export function fitted({ videoWidth, videoHeight }, mostPixels) {
  const scale = Math.sqrt(mostPixels / (videoWidth * videoHeight));
  if (!(scale < 1)) return {};
  const [resizeWidth, resizeHeight] = [videoWidth, videoHeight].map((side) => Math.floor(side * scale) || 1);
  return { resizeWidth, resizeHeight, resizeQuality: "medium" };
}

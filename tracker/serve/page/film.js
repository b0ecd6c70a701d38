/** A video file of the user, played by the browser and tracked as it plays. */

import { asProblem, PROBLEMS } from "./problems.js";
import { FrameSender } from "./sender.js";

const FRAME_S = 1 / 30; // a step, where nobody says how long a frame is

/** A video as a source; ``pause`` and ``resume`` are those of the picture, ``toggle`` those of the user. */
export class Film {
  canPause = true;
  isOwn = false;
  #video = document.createElement("video");
  #sender = null;
  #mostPixels;
  #on;

  /** ``mostPixels`` and ``on`` are what FrameSender takes, and ``on.played()`` follows whatever changes in playing. */
  constructor(file, mostPixels, on) {
    this.#mostPixels = mostPixels;
    this.name = file.name;
    this.#on = on;
    this.#video.muted = true;
    this.#video.playsInline = true;
    this.#video.src = URL.createObjectURL(file);
    for (const event of ["play", "pause", "ended", "timeupdate", "seeked"]) {
      this.#video.addEventListener(event, () => on.played());
    }
  }

  /** Play; raises a Problem for what the browser cannot play. */
  async start(query) {
    await new Promise((resolve, reject) => {
      this.#video.onloadeddata = resolve;
      this.#video.onerror = () => reject(PROBLEMS.video());
    });
    if (!this.#video.videoWidth) throw PROBLEMS.video();
    this.#video.onerror = () => this.#on.problem(PROBLEMS.video());
    this.#sender = new FrameSender(
      this.#video,
      query,
      ({ mediaTime }) => mediaTime,
      this.#mostPixels,
      this.#on,
    );
    this.#play();
  }

  get timeS() {
    return this.#video.currentTime;
  }

  get durationS() {
    return Number.isFinite(this.#video.duration) ? this.#video.duration : 0;
  }

  get isPaused() {
    return this.#video.paused;
  }

  get isAtEnd() {
    return this.#video.ended;
  }

  restart(query) {
    this.#sender.restart(query);
    this.seek(this.timeS); // shows the frame of a paused video again
  }

  toggle() {
    if (this.#video.paused) this.#play();
    else this.#video.pause();
  }

  seek(timeS) {
    this.#video.currentTime = Math.min(Math.max(timeS, 0), this.durationS);
  }

  /** Move by whole frames and pause. */
  step(frames) {
    this.#video.pause();
    this.seek(this.timeS + frames * FRAME_S);
  }

  /** Wait while nobody sees the page: the video stands still, too. */
  pause() {
    this.#goesOn = !this.#video.paused;
    this.#video.pause();
    this.#sender?.pause();
  }

  resume() {
    this.#sender?.resume();
    if (this.#goesOn) this.#play();
  }

  stop() {
    this.#sender?.stop();
    this.#video.pause();
    this.#video.onerror = null;
    URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute("src");
  }

  #goesOn = false;

  #play() {
    this.#video.play().catch((error) => {
      if (error.name !== "AbortError") this.#on.problem(asProblem(error)); // else paused at once
    });
  }
}

/** The camera or film of the server: pictures and results come together. */

import { Link } from "./link.js";
import { asProblem } from "./problems.js";

/** What the server tracks, as a source. While a picture is decoded only the newest that comes is kept. */
export class Live {
  canPause = true;
  isOwn = false;
  #on;
  #link = null;
  #newest = null;
  #decoding = false;
  #lastS = -Infinity;
  #shiftS = 0;

  /** ``on`` is what FrameSender takes. */
  constructor(name, on) {
    this.name = name;
    this.#on = on;
  }

  async start() {
    this.resume();
  }

  restart() {}

  /** Close the connection, so that nothing is sent to where nobody looks. */
  pause() {
    this.#link?.close();
    this.#link = null;
    this.#newest = null;
  }

  resume() {
    this.#link ??= new Link("/ws/live", { picture: 1 }, {
      open: () => {},
      message: (data) => this.#came(data),
      state: this.#on.state,
      problem: this.#on.problem,
      isDue: () => true,
    });
  }

  stop() {
    this.pause();
  }

  async #came(data) {
    this.#newest = data;
    if (this.#decoding) return;
    this.#decoding = true;
    try {
      while (this.#newest) await this.#decode();
    } catch (error) {
      this.#on.problem(asProblem(error));
    } finally {
      this.#decoding = false;
    }
  }

  async #decode() {
    const data = this.#newest;
    this.#newest = null;
    const length = new DataView(data).getUint32(0, true);
    const record = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const jpeg = new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" });
    const picture = await createImageBitmap(jpeg);
    if (!this.#link) return picture.close();
    this.#on.shown(picture, { ...record, time_s: this.#running(record.time_s) }, null);
  }

  /** Return a time that runs on, also where the server was started again in between. */
  #running(timeS) {
    if (timeS + this.#shiftS <= this.#lastS) {
      this.#shiftS = this.#lastS - timeS + 1;
      this.#on.restarted();
    }
    this.#lastS = timeS + this.#shiftS;
    return this.#lastS;
  }
}

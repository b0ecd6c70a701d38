/** A picture file of the user, tracked once. */

import { request } from "./link.js";
import { Problem } from "./problems.js";

/** A picture as a source; the bytes of the file go to the server as they are. */
export class Still {
  canPause = false;
  isOwn = false;
  #file;
  #mostBytes;
  #on;
  #asked = 0; // answers to all but the newest question come too late

  /**
   * ``mostBytes`` is what the server takes, ``on.shown`` that of FrameSender, and ``on.note(text)`` says what
   * the user should know.
   */
  constructor(file, mostBytes, on) {
    this.name = file.name;
    this.#mostBytes = mostBytes;
    this.#file = file;
    this.#on = on;
  }

  /** Raises a Problem with the server's words for a file that it cannot take. */
  async start({ model }) {
    if (this.#file.size > this.#mostBytes) throw this.#tooLarge();
    this.#asked += 1;
    const number = this.#asked;
    const path = `/api/faces?${new URLSearchParams({ model })}`;
    const record = await request(path, { method: "POST", body: this.#file });
    const picture = await createImageBitmap(this.#file).catch(() => null);
    if (number !== this.#asked) return picture?.close();
    if (!picture) this.#on.note("this browser cannot show such a picture, only its points");
    this.#on.shown(picture, record, null);
  }

  #tooLarge() {
    const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
    const sizes = `It has ${mebibytes(this.#file.size)}, the server takes ${mebibytes(this.#mostBytes)}`;
    return new Problem("The picture is too large", `${sizes}: make it smaller, or save it as JPEG.`);
  }

  restart(query) {
    return this.start(query);
  }

  pause() {}

  resume() {}

  stop() {
    this.#asked += 1;
  }
}

/** The picture on the screen, with the points that belong to it. */

import { drawFaces } from "./faces.js";
import { PLAIN } from "./theme.js";

/**
 * The canvas of a page; it owns the picture that is shown and closes the one before.
 *
 * Every new picture is told by an event "shown" of the canvas, whose detail is {record, capturedMs}.
 */
export class Stage {
  #canvas;
  #context;
  #scheme;
  #picture = null;
  #record = null;
  #layers = [];
  #mirrored = false;

  constructor(canvas, scheme) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#scheme = scheme;
    new ResizeObserver(() => this.#draw()).observe(canvas.parentElement);
  }

  /** The result whose picture is shown, null before the first. */
  get record() {
    return this.#record;
  }

  /** Draw with these layers, mirrored or not, from now on. */
  setLook(layers, mirrored) {
    this.#layers = layers;
    this.#mirrored = mirrored;
    this.#draw();
  }

  /**
   * Show a picture, an ImageBitmap or null for a plain background, with the faces of its result.
   *
   * ``capturedMs`` is the time at which a camera took it, by performance.now; null where it is not known.
   */
  show(picture, record, capturedMs = null) {
    if (this.#picture && this.#picture !== picture) this.#picture.close();
    this.#picture = picture;
    this.#record = record;
    this.#draw();
    this.#canvas.dispatchEvent(new CustomEvent("shown", { detail: { record, capturedMs } }));
  }

  /** Show nothing. */
  clear() {
    this.#picture?.close();
    this.#picture = this.#record = null;
    this.#canvas.width = this.#canvas.width; // which clears it
  }

  /** Return the picture at its own size with its points, mirrored if the view is, as a PNG. */
  async snapshot() {
    const { width, height } = this.#record;
    const canvas = new OffscreenCanvas(width, height);
    this.#render(canvas.getContext("2d"), 1);
    return canvas.convertToBlob({ type: "image/png" });
  }

  #draw() {
    if (!this.#record) return;
    const { width, height, pixel_aspect: aspect = 1 } = this.#record;
    const parent = this.#canvas.parentElement;
    parent.parentElement.style.setProperty("--ratio", (width * aspect) / height);
    const fit = Math.min(parent.clientWidth / (width * aspect), parent.clientHeight / height);
    const columns = Math.max(Math.round(width * aspect * fit * devicePixelRatio), 1);
    const rows = Math.max(Math.round(height * fit * devicePixelRatio), 1);
    if (this.#canvas.width !== columns || this.#canvas.height !== rows) {
      this.#canvas.width = columns;
      this.#canvas.height = rows;
    }
    this.#render(this.#context, devicePixelRatio);
  }

  #render(context, unit) {
    const { width, height } = context.canvas;
    context.save();
    if (this.#mirrored) context.setTransform(-1, 0, 0, 1, width, 0);
    if (this.#picture) {
      context.drawImage(this.#picture, 0, 0, width, height);
    } else {
      context.fillStyle = PLAIN;
      context.fillRect(0, 0, width, height);
    }
    context.restore();
    drawFaces(context, this.#record.faces, this.#layers, this.#scheme, {
      x: width / this.#record.width,
      y: height / this.#record.height,
      width: this.#mirrored ? width : 0,
      unit,
    });
  }
}

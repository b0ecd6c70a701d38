/** The badge on the picture: frames a second, latency, model, number of faces. */

const WINDOW_MS = 1000;
const WRITE_MS = 250;

/** Rate and latency of what was shown in the last second. */
export class Badge {
  #parts = Object.fromEntries(
    ["badge", "fps", "latency", "badge-model", "count", "canvas"].map((id) => [
      id,
      document.getElementById(id),
    ]),
  );
  #shown = []; // [time, latency] in milliseconds
  #writtenMs = 0;

  /** The picture of ``record`` was drawn just now; ``capturedMs`` is null where nobody knows. */
  add(record, capturedMs, model) {
    const nowMs = performance.now();
    this.#shown.push([nowMs, capturedMs === null ? record.latency_ms ?? null : nowMs - capturedMs]);
    while (nowMs - this.#shown[0][0] > WINDOW_MS) this.#shown.shift();
    this.#parts.badge.hidden = false;
    if (nowMs - this.#writtenMs < WRITE_MS && this.#shown.length > 1) return;
    this.#writtenMs = nowMs;
    this.#write(record.faces.length, model);
  }

  /** Nothing comes any more: the last rate would mislead. */
  stall() {
    this.#shown = [];
    this.#parts.fps.textContent = "0 fps";
    this.#parts.latency.textContent = "";
  }

  clear() {
    this.#shown = [];
    this.#parts.badge.hidden = true;
    this.#parts.canvas.setAttribute("aria-label", "No picture yet");
  }

  #write(faces, model) {
    const [first, last] = [this.#shown[0][0], this.#shown.at(-1)[0]];
    const rate = last > first ? (1000 * (this.#shown.length - 1)) / (last - first) : null;
    const latencies = this.#shown.map(([, latency]) => latency).filter((latency) => latency !== null);
    latencies.sort((a, b) => a - b);
    const middle = latencies[Math.floor(latencies.length / 2)];
    const count = faces === 1 ? "1 face" : `${faces} faces`;
    this.#parts.fps.textContent = rate === null ? "" : `${Math.round(rate)} fps`;
    this.#parts.latency.textContent = middle === undefined ? "" : `${Math.round(middle)} ms`;
    this.#parts["badge-model"].textContent = model;
    this.#parts.count.textContent = count;
    this.#parts.canvas.setAttribute("aria-label", `Picture with ${count}`);
  }
}

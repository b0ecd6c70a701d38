/** The faces of the newest result as a list; one of them is the one whose charts are shown. */

import { INK, colorOf } from "./theme.js";

const LOST_S = 2; // a face stays in the list so long after it was last seen

/**
 * A list of buttons, one a face, that keeps its entries while faces stay, and so the keyboard's focus.
 *
 * The figures of the chosen face stand beside the heading, so that nothing moves when faces come and go.
 */
export class FaceList {
  #list = document.getElementById("faces");
  #none = document.getElementById("no-faces");
  #title = document.getElementById("chart-face");
  #text = document.getElementById("face-text");
  #entries = new Map(); // by id: {item, button, text, seenS}
  #chosen = null;
  #onChoice;

  /** ``onChoice(id)`` is called when another face is shown, null for none. */
  constructor(onChoice) {
    this.#onChoice = onChoice;
  }

  update({ faces, time_s: nowS }) {
    for (const face of faces) this.#show(face, nowS);
    for (const [id, { item, seenS }] of this.#entries) {
      if (nowS - seenS <= LOST_S && nowS >= seenS) continue;
      item.remove();
      this.#entries.delete(id);
    }
    if (!this.#entries.has(this.#chosen)) this.#choose(largest(faces));
    this.#none.hidden = this.#entries.size > 0;
    this.#none.textContent = "None in this picture.";
    this.#describe();
  }

  clear() {
    this.#list.replaceChildren();
    this.#entries.clear();
    this.#choose(null);
    this.#none.hidden = false;
    this.#none.textContent = "None yet.";
  }

  #show(face, nowS) {
    const entry = this.#entries.get(face.id) ?? this.#added(face.id);
    entry.seenS = nowS;
    entry.text = described(face);
  }

  #added(id) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Show its figures";
    button.append(pill(id));
    button.addEventListener("click", () => this.#choose(id));
    item.append(button);
    this.#list.append(item);
    const entry = { item, button, text: "", seenS: 0 };
    this.#entries.set(id, entry);
    this.#mark();
    return entry;
  }

  #choose(id) {
    this.#chosen = id;
    this.#title.textContent = id === null ? "" : `of face ${id}`;
    this.#mark();
    this.#describe();
    this.#onChoice(id);
  }

  #describe() {
    const text = this.#entries.get(this.#chosen)?.text ?? "";
    if (this.#text.textContent !== text) this.#text.textContent = text;
  }

  #mark() {
    for (const [id, { button }] of this.#entries) button.setAttribute("aria-pressed", id === this.#chosen);
  }
}

function largest(faces) {
  const area = ({ box }) => (box[2] - box[0]) * (box[3] - box[1]);
  return faces.reduce((most, face) => (most && area(most) >= area(face) ? most : face), null)?.id ?? null;
}

function described({ score, measures }) {
  const texts = [`score ${score.toFixed(2)}`];
  if (measures?.yaw_deg != null) texts.push(`yaw ${Math.round(measures.yaw_deg)}°`.replace("-", "−"));
  if (measures) texts.push(measures.blinks === 1 ? "1 blink" : `${measures.blinks} blinks`);
  return texts.join(" · ");
}

/** Return the id on its colour, as over the face. */
function pill(id) {
  const scale = devicePixelRatio;
  const canvas = document.createElement("canvas");
  const width = 18 + 8 * String(id).length;
  canvas.width = width * scale;
  canvas.height = 22 * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = "22px";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Face ${id}`);
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  context.fillStyle = colorOf(id);
  context.beginPath();
  context.roundRect(0, 0, width, 22, 11);
  context.fill();
  context.fillStyle = INK;
  context.font = "700 14px system-ui, sans-serif";
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(String(id), width / 2, 11.7);
  return canvas;
}

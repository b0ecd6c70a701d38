/** What the user chose. Look and size are kept in this browser; model and smoothing begin as the server's. */

import { LAYERS } from "./faces.js";

const PLACE = "tracker";
const DEFAULT = ["points", "lines", "box"];

/** The controls of the settings; ``on.look()``, ``on.tracker()`` and ``on.camera()`` follow their changes. */
export class Settings {
  #fields = Object.fromEntries(
    ["model", "smoothing", "camera", "size"].map((id) => [id, document.getElementById(id)]),
  );
  #boxes = [...document.querySelectorAll("input[name=layer]")];
  #note = document.getElementById("settings-note");
  #keys = document.getElementById("use-keys");
  #layers = DEFAULT;
  #mirror = {}; // by "own" and "other", as far as chosen

  constructor(info, on) {
    const kept = read();
    fill(this.#fields.model, info.models, info.model);
    fill(this.#fields.smoothing, info.smoothings, info.smoothing);
    if ([...this.#fields.size.options].some(({ value }) => value === kept.size)) {
      this.#fields.size.value = kept.size;
    }
    if (Array.isArray(kept.layers)) this.#layers = LAYERS.filter((layer) => kept.layers.includes(layer));
    if (kept.mirror) this.#mirror = kept.mirror;
    this.#keys.checked = kept.keys ?? true;
    this.#showLayers();
    const listen = (elements, act) => {
      for (const element of elements) element.addEventListener("change", () => this.#changed(act));
    };
    listen([this.#fields.model, this.#fields.smoothing], on.tracker);
    listen([this.#fields.camera, this.#fields.size], on.camera);
    listen([this.#keys], () => {});
    listen(this.#boxes, () => {
      this.#layers = this.#boxes.filter(({ checked }) => checked).map(({ value }) => value);
      on.look();
    });
  }

  /** Query of a tracker: {model, smoothing}. */
  get tracker() {
    return { model: this.#fields.model.value, smoothing: this.#fields.smoothing.value };
  }

  /** What Camera takes: {deviceId, width, height}. */
  get camera() {
    const [width, height] = this.#fields.size.value.split("x").map(Number);
    return { deviceId: this.#fields.camera.value, width, height };
  }

  get layers() {
    return this.#layers;
  }

  set layers(layers) {
    this.#layers = layers;
    this.#showLayers();
    this.#keep();
  }

  /** Return whether such a picture is shown mirrored; by default only this computer's camera is. */
  mirrors(isOwn) {
    return this.#mirror[isOwn ? "own" : "other"] ?? isOwn;
  }

  setMirror(isOwn, mirrored) {
    this.#mirror[isOwn ? "own" : "other"] = mirrored;
    this.#keep();
  }

  /** Offer cameras by their names; the one in use stays chosen. */
  offerCameras(devices) {
    const chosen = this.#fields.camera.value;
    const options = devices.map(({ deviceId, label }, i) => new Option(label || `Camera ${i + 1}`, deviceId));
    this.#fields.camera.replaceChildren(new Option("Default", ""), ...options);
    this.#fields.camera.value = devices.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
  }

  /** Hold model and smoothing where the server has chosen them; ``reason`` says why, "" where it has not. */
  hold(reason) {
    this.#fields.model.disabled = this.#fields.smoothing.disabled = Boolean(reason);
    this.#note.textContent = reason;
    this.#note.hidden = !reason;
  }

  #changed(act) {
    act();
    this.#keep();
  }

  #showLayers() {
    for (const box of this.#boxes) box.checked = this.#layers.includes(box.value);
  }

  #keep() {
    const kept = {
      size: this.#fields.size.value,
      layers: this.#layers,
      mirror: this.#mirror,
      keys: this.#keys.checked,
    };
    try {
      localStorage.setItem(PLACE, JSON.stringify(kept));
    } catch {
      // A browser may refuse to keep anything: choices hold until the page is closed.
    }
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(PLACE)) ?? {};
  } catch {
    return {}; // nothing is kept, or it is not ours
  }
}

function fill(select, names, chosen) {
  select.replaceChildren(...names.map((name) => new Option(name)));
  select.value = chosen;
}

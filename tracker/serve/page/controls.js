/** Buttons, keys and files: what the user asks for becomes one of the keys of keys.js. */

import { listenToFiles } from "./files.js";
import { listKeys, listenToKeys } from "./keys.js";

const $ = (id) => document.getElementById(id);

// Keys of the buttons; "v" (the server's camera), "csv" and "clear" have no key on the keyboard.
const BUTTONS = {
  "use-camera": "c",
  start: "c",
  "use-live": "v",
  stop: "q",
  snapshot: "s",
  mirror: "m",
  drawing: "p",
  freeze: " ",
  "save-json": "d",
  "save-csv": "csv",
  "clear-results": "clear",
};
const NEED_A_PICTURE = ["snapshot", "mirror", "drawing", "stop"];
const RESULTS_MS = 500;

/**
 * The controls around the picture; ``act(key)`` and ``openFile(file, others)`` do what is asked for, and
 * ``note(text)`` says what the browser refuses.
 */
export class Controls {
  #writing = 0;
  #pause = "Freeze";

  constructor(info, act, openFile, note) {
    const refused = () => note("the browser refuses full screen");
    const f = () => toggleFullscreen().catch(refused);
    const own = { o: () => $("file").click(), f, "?": () => $("help").showModal() };
    const all = (key) => (key in own ? own[key]() : act(key));
    for (const [id, key] of Object.entries(BUTTONS)) $(id).addEventListener("click", () => all(key));
    for (const id of ["use-file", "choose"]) $(id).addEventListener("click", own.o);
    $("help-button").addEventListener("click", own["?"]);
    $("fullscreen").addEventListener("click", own.f);
    $("fullscreen").hidden = !document.fullscreenEnabled;
    $("version").textContent = info.version;
    $("host").textContent = location.host;
    $("use-live").hidden = !info.live;
    if (info.live) $("use-live").title = info.live.name;
    listKeys($("keys"));
    listenToKeys(all);
    listenToFiles(openFile);
  }

  /** A source was opened; ``isServers`` where the server has the camera. */
  began({ canPause, isOwn, durationS }, isServers) {
    this.#pause = durationS === undefined ? "Freeze" : "Pause";
    this.showPaused(false);
    $("empty").hidden = true;
    for (const id of NEED_A_PICTURE) $(id).disabled = false;
    $("freeze").disabled = !canPause;
    this.#press(isOwn, isServers);
    keepFocus($(canPause ? "freeze" : "snapshot"));
  }

  ended() {
    $("empty").hidden = false;
    for (const id of [...NEED_A_PICTURE, "freeze"]) $(id).disabled = true;
    this.#press(false, false);
    this.showPaused(false);
    keepFocus($("start"));
  }

  #press(isOwn, isServers) {
    $("use-camera").setAttribute("aria-pressed", isOwn);
    $("use-live").setAttribute("aria-pressed", isServers);
  }

  showMirror(mirrored) {
    $("mirror").setAttribute("aria-pressed", mirrored);
  }

  showPaused(paused) {
    $("freeze").textContent = paused ? "Resume" : this.#pause;
  }

  /** Tell how many results there are: at once where they begin or end, else a few times a second. */
  showResults(results) {
    const isFirst = $("save-json").disabled !== !results.length;
    if (isFirst || !results.length) this.#writeResults(results);
    else this.#writing ||= setTimeout(() => this.#writeResults(results), RESULTS_MS);
  }

  #writeResults({ length, isCut }) {
    clearTimeout(this.#writing);
    this.#writing = 0;
    for (const id of ["save-json", "save-csv", "clear-results"]) $(id).disabled = !length;
    const frames = length === 1 ? "1 frame" : `${length.toLocaleString("en")} frames`;
    const cut = isCut ? "; the first ones are left out" : "";
    $("results-text").textContent = length ? `${frames}${cut}` : "None yet.";
  }
}

/** Move the focus to ``element`` where its own has gone, so that the keyboard goes on beside the picture. */
function keepFocus(element) {
  const { activeElement } = document;
  const isGone = activeElement?.matches(":disabled") || activeElement?.closest("#empty[hidden], #problem");
  if (isGone) element.focus({ preventScroll: true });
}

async function toggleFullscreen() {
  if (document.fullscreenElement) await document.exitFullscreen();
  else await $("stage").requestFullscreen();
}

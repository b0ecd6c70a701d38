/** Keys of the page: those of the live window, where there is one for the same thing. */

/** Description of each key, in the order of the help. */
export const KEYS = {
  c: "start or stop this computer’s camera",
  o: "open a picture or a video",
  s: "save the picture with its points",
  d: "download the results as JSON lines",
  m: "mirror the picture on or off",
  p: "next drawing: points, lines, mesh, none",
  f: "full screen on or off",
  " ": "pause a video, freeze a camera",
  ArrowLeft: "5 seconds back in a video",
  ArrowRight: "5 seconds forward in a video",
  ",": "one frame back in a video",
  ".": "one frame forward in a video",
  q: "stop",
  "?": "show this help, as h does",
};

const CAPS = { " ": "Space", ArrowLeft: "←", ArrowRight: "→" };

/** Call ``act(key)`` for keys of KEYS, unless a control needs them or they are switched off. */
export function listenToKeys(act) {
  const allowed = document.getElementById("use-keys");
  document.addEventListener("keydown", (event) => {
    const key = event.key === "h" ? "?" : event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (!(key in KEYS) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!allowed.checked || document.querySelector("dialog[open]") || isTaken(event.target, key)) return;
    event.preventDefault();
    act(key);
  });
}

/** Return whether a control that has the focus acts on the key itself. */
function isTaken(target, key) {
  if (target.matches("select")) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow");
  return target.matches("button, input") && key === " ";
}

/** Fill the list of keys in the help. */
export function listKeys(list) {
  for (const [key, description] of Object.entries(KEYS)) {
    const term = document.createElement("dt");
    const cap = document.createElement("kbd");
    const meaning = document.createElement("dd");
    cap.textContent = CAPS[key] ?? key;
    meaning.textContent = description;
    term.append(cap);
    list.append(term, meaning);
  }
}

/** What the page says: short notes, what goes on, and problems with their remedies. */

const NOTE_MS = 3000;

/** The notes on the picture and the card of a problem. */
export class Messages {
  #note = document.getElementById("note");
  #told = document.getElementById("told");
  #state = document.getElementById("state");
  #card = document.getElementById("problem");
  #title = document.getElementById("problem-title");
  #text = document.getElementById("problem-text");
  #close = document.getElementById("problem-close");
  #retry = document.getElementById("problem-retry");
  #timer = 0;

  #onRetry = () => {};

  constructor() {
    this.#retry.addEventListener("click", () => {
      this.clear();
      this.#onRetry();
    });
    const close = () => {
      if (this.#close.hidden) return;
      this.clear();
      document.querySelector("#empty:not([hidden]) #start, #freeze:enabled")?.focus(); // what follows the card
    };
    this.#close.addEventListener("click", close);
    this.#card.addEventListener("keydown", ({ key }) => key === "Escape" && close());
  }

  /** Say something for three seconds. */
  note(text) {
    clearTimeout(this.#timer);
    this.#note.textContent = text;
    this.#timer = setTimeout(() => {
      this.#note.textContent = "";
    }, NOTE_MS);
  }

  /** Say something to those who cannot see the picture. */
  tell(text) {
    this.#told.textContent = text;
  }

  /** Say what goes on until it is over, "" then; an alert is marked red. */
  state(text, isAlert = false) {
    if (this.#state.textContent === text) return;
    this.#state.textContent = text;
    this.#state.classList.toggle("alert", isAlert);
    this.#state.hidden = !text;
  }

  /**
   * Show a problem; what is to be typed stands between backquotes.
   *
   * ``onRetry()`` follows when the user asks for another try. There is no way around one that ``isFinal``.
   */
  problem({ title, text }, onRetry, isFinal = false) {
    this.#onRetry = onRetry;
    this.#close.hidden = isFinal;
    this.#title.textContent = title;
    this.#text.replaceChildren(...withCommands(text));
    this.#card.hidden = false;
    this.#retry.focus();
  }

  clear() {
    this.#card.hidden = true;
    this.state("");
    this.tell("");
  }
}

/** Return the parts of a text; those between backquotes are set as code. */
function withCommands(text) {
  return text.split("`").map((part, i) => {
    if (i % 2 === 0) return part;
    const code = document.createElement("code");
    part.split(" ").forEach((word, place) => {
      const whole = document.createElement("span"); // no line ends at a hyphen
      whole.textContent = word;
      code.append(place ? " " : "", whole);
    });
    return code;
  });
}

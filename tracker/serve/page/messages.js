/** What the page says: short notes, what goes on, and problems with their remedies. */

const NOTE_MS = 3000;

/** The notes on the picture and the card of a problem. */
export class Messages {
  #note = document.getElementById("note");
  #state = document.getElementById("state");
  #card = document.getElementById("problem");
  #title = document.getElementById("problem-title");
  #text = document.getElementById("problem-text");
  #retry = document.getElementById("problem-retry");
  #timer = 0;

  #onRetry = () => {};

  constructor() {
    this.#retry.addEventListener("click", () => {
      this.clear();
      this.#onRetry();
    });
    document.getElementById("problem-close").addEventListener("click", () => this.clear());
  }

  /** Say something for three seconds. */
  note(text) {
    clearTimeout(this.#timer);
    this.#note.textContent = text;
    this.#timer = setTimeout(() => {
      this.#note.textContent = "";
    }, NOTE_MS);
  }

  /** Say what goes on until it is over, "" then; an alert is marked red. */
  state(text, isAlert = false) {
    if (this.#state.textContent === text) return;
    this.#state.textContent = text;
    this.#state.classList.toggle("alert", isAlert);
    this.#state.hidden = !text;
  }

  /** Show a problem; ``onRetry()`` follows when the user asks for another try. */
  problem({ title, text }, onRetry) {
    this.#onRetry = onRetry;
    this.#title.textContent = title;
    this.#text.textContent = text;
    this.#card.hidden = false;
    this.#retry.focus();
  }

  clear() {
    this.#card.hidden = true;
    this.state("");
  }
}

/** A WebSocket of the server that connects again by itself. */

import { PROBLEMS } from "./problems.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8000;
const SILENCE_MS = 15000; // without an answer that is due, the connection is taken for lost

// Close codes of RFC 6455, section 7.4, as the server uses them.
const TOO_BIG = 1009;
const FAILED = 1011; // also the server's, when it did not hear from a computer that slept
const TOO_MANY = 1013;
const HOPELESS = [1007, 1008];
const SILENT = 0; // none of theirs

/**
 * The messages of ``path``; a lost connection is opened again after half a second, then after ever longer.
 *
 * ``on.open()`` follows each connection, ``on.message(data)`` each message, ``on.state(text)`` what goes on
 * ("" once messages come), ``on.problem(problem)`` what no further try can mend: the link is closed then.
 * ``on.isDue()`` tells whether a message is expected.
 */
export class Link {
  #url;
  #on;
  #socket = null;
  #waitMs = FIRST_WAIT_MS;
  #timer = 0;
  #watch = 0;
  #heardMs = 0;
  #closed = false;

  constructor(path, query, on) {
    this.#url = new URL(`${path}?${new URLSearchParams(query)}`, location.href);
    this.#url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#on = on;
    window.addEventListener("online", this.#now);
    this.#watch = setInterval(() => this.#checkSilence(), 1000);
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(bytes) {
    if (!this.#on.isDue()) this.#heardMs = performance.now(); // the clock of silence starts here
    this.#socket.send(bytes);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    window.removeEventListener("online", this.#now);
    this.#drop();
  }

  #now = () => {
    if (this.#closed || !this.#timer) return;
    clearTimeout(this.#timer);
    this.#connect();
  };

  #connect() {
    this.#timer = 0;
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    let heard = false;
    socket.onopen = () => {
      this.#heardMs = performance.now();
      this.#on.open();
    };
    socket.onmessage = ({ data }) => {
      heard = true;
      this.#heardMs = performance.now();
      this.#waitMs = FIRST_WAIT_MS;
      this.#on.state("");
      this.#on.message(data);
    };
    socket.onclose = ({ code, reason }) => this.#lost(code, reason, heard);
  }

  /** Try again, unless the server says that this cannot help; it says why in the reason of the close. */
  #lost(code, reason, heard) {
    this.#socket = null;
    if (code === TOO_BIG) return this.#fail(PROBLEMS.tooBig());
    if (HOPELESS.includes(code) || (code === FAILED && !heard)) return this.#fail(PROBLEMS.refused(reason));
    const wait = this.#waitMs < 1000 ? "a moment" : `${this.#waitMs / 1000} s`;
    const what = { [TOO_MANY]: "the server is full", [SILENT]: "no answer" }[code] ?? "connection lost";
    this.#on.state(`${what}, next try in ${wait}`);
    this.#timer = setTimeout(() => this.#connect(), this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, LONGEST_WAIT_MS);
    return undefined;
  }

  #fail(problem) {
    if (this.#closed) return;
    this.close();
    this.#on.problem(problem);
  }

  #checkSilence() {
    if (!this.isOpen || !this.#on.isDue() || performance.now() - this.#heardMs < SILENCE_MS) return;
    this.#drop();
    this.#lost(SILENT, "", true);
  }

  #drop() {
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}

/** Return the JSON of a request; raises a Problem with the server's own line. */
export async function request(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw PROBLEMS.gone();
  }
  if (answer.ok) return answer.json();
  const said = await answer.json().then((body) => body.error, () => `status ${answer.status}`);
  throw PROBLEMS.refused(said);
}

/** Results of the frames that were shown, to be saved as JSON lines or CSV. */

const MOST_CHARACTERS = 64 << 20;
const MEASURES = [
  ...["eye_open_left", "eye_open_right", "mouth_open"],
  ...["yaw_deg", "pitch_deg", "roll_deg", "blinks"],
];
const BEFORE = ["source", "frame", "time_s", "id", "x0_box", "y0_box", "x1_box", "y1_box", "score"];

/**
 * The results of one source by their times; those that were added first go where they would fill the memory.
 *
 * A frame that is shown again, as when a video is turned back, replaces its result.
 */
export class Results {
  #points;
  #texts = new Map(); // JSON by time_s
  #characters = 0;

  /** Whether some are left out, for memory. */
  isCut = false;

  /** Results of a model that locates a number of points. */
  constructor(points) {
    this.#points = points;
  }

  get length() {
    return this.#texts.size;
  }

  add(record, source) {
    const { latency_ms: _, ...fields } = record;
    this.#remove(record.time_s);
    const text = JSON.stringify({ ...fields, source });
    this.#texts.set(record.time_s, text);
    this.#characters += text.length;
    while (this.#characters > MOST_CHARACTERS) {
      this.#remove(this.#texts.keys().next().value);
      this.isCut = true;
    }
  }

  clear() {
    this.#texts.clear();
    this.#characters = 0;
    this.isCut = false;
  }

  /** Return the JSON lines of tracker --json, one a frame. */
  jsonLines() {
    const lines = this.#records().map((record) => `${JSON.stringify(record)}\n`);
    return new Blob(lines, { type: "application/jsonl" });
  }

  /** Return the table of tracker --csv: a row for each face. */
  csv() {
    const coordinates = Array.from({ length: this.#points }, (_, i) => [`x${i}`, `y${i}`]).flat();
    const rows = this.#records().flatMap(tableRows);
    return new Blob([[...BEFORE, ...coordinates, ...MEASURES], ...rows].map((row) => `${row.join()}\r\n`), { type: "text/csv" });
  }

  #remove(timeS) {
    this.#characters -= this.#texts.get(timeS)?.length ?? 0;
    this.#texts.delete(timeS);
  }

  /** Return the records in the order of their times; frames are counted here, as connections may change. */
  #records() {
    const times = [...this.#texts.keys()].sort((a, b) => a - b);
    return times.map((timeS, frame) => ({ ...JSON.parse(this.#texts.get(timeS)), frame }));
  }
}

function tableRows({ source, frame, time_s: timeS, faces }) {
  return faces.map(({ id, box, score, landmarks, measures = {} }) => {
    const { eye_open: eyes = [null, null], ...others } = measures;
    const measured = { ...others, eye_open_left: eyes[0], eye_open_right: eyes[1] };
    const numbers = [id, ...box, score, ...landmarks.flat(), ...MEASURES.map((name) => measured[name] ?? "")];
    return [cell(source), frame, timeS, ...numbers];
  });
}

/** Return text as a cell: no formula that a spreadsheet would run, and no control characters. */
function cell(text) {
  const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
  const plain = text.replace(controls, (sign) => {
    const code = sign.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
  const safe = /^'*[=+\-@]/.test(plain) ? `'${plain}` : plain;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Let the browser save a file under a name with the time, such as tracker-20260102-030405.png. */
export function save(blob, ending) {
  const now = new Date();
  const two = (number) => String(number).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  const time = [now.getHours(), now.getMinutes(), now.getSeconds()].map(two).join("");
  const name = `tracker-${day}-${time}${ending}`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000); // the browser reads it while it saves
  return name;
}

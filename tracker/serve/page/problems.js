/** What can go wrong on the page, each with the remedy. */

/** A title and a text for the user; thrown by what cannot go on. */
export class Problem extends Error {
  constructor(title, text) {
    super(title);
    this.title = title;
    this.text = text;
  }
}

const PORT = location.port || (location.protocol === "https:" ? "443" : "80");

/** Title and text of each problem. */
const TEXTS = {
  refused: (reason) => ["The server refused this", sentence(reason || "it gives no reason")],
  gone: () => [
    "The server does not answer",
    "Start it again with `tracker serve`, then try again.",
  ],
  tooBig: () => [
    "The picture is too large for the server",
    "Choose a smaller size in the settings, then try again.",
  ],
  insecure: () => [
    "Browsers give cameras to secure pages only",
    `Open \`http://localhost:${PORT}\` on the server itself, or through a tunnel from this computer: ` +
      `\`ssh -L ${PORT}:localhost:${PORT} ${location.hostname}\`. Or start \`tracker serve\` with ` +
      "`--certificate` and open it by https. Pictures and videos can be dropped here in any case.",
  ],
  NotAllowedError: () => [
    "The camera was refused",
    "Allow the camera for this page at the camera symbol in the address bar or in the browser’s settings; " +
      "on a phone also in the system’s settings for the browser. Then try again.",
  ],
  NotFoundError: () => [
    "No camera found",
    "Connect one and try again, or open a picture or a video.",
  ],
  NotReadableError: () => [
    "The camera is in use",
    "Close the other program or tab that uses it, then try again.",
  ],
  OverconstrainedError: () => [
    "The chosen camera is gone",
    "Choose another one in the settings, or connect it, then try again.",
  ],
  unplugged: () => [
    "The camera is gone",
    "Connect it again, then try again; or choose another one in the settings.",
  ],
  video: () => [
    "This browser cannot play the video",
    "Track it by `tracker FILE` on the server’s computer, or convert it: `ffmpeg -i FILE -c:v libx264 out.mp4`",
  ],
  old: () => [
    "This browser is too old",
    "The page needs Chrome or Edge 108, Firefox 132, Safari 16.4, or a later one.",
  ],
};

/** Makers of problems by their names. */
export const PROBLEMS = Object.fromEntries(
  Object.entries(TEXTS).map(([name, text]) => [name, (...values) => new Problem(...text(...values))]),
);

/** Return one line of the server as a sentence. */
function sentence(line) {
  return `${line[0].toUpperCase()}${line.slice(1)}${line.endsWith(".") ? "" : "."}`;
}

/** Return the problem for an error of getUserMedia. */
export function cameraProblem(error) {
  if (PROBLEMS[error.name]) return PROBLEMS[error.name]();
  return new Problem("The camera does not start", `${error.name}: ${error.message}. Try another one.`);
}

/** Return any error as a problem; an unexpected one says what it is. */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  return new Problem("Something went wrong on this page", `${error.name}: ${error.message}. Load it again.`);
}

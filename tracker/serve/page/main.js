/** The beginning of the page: what the server offers, and then the player. */

import { request } from "./link.js";
import { Messages } from "./messages.js";
import { Player } from "./player.js";
import { asProblem, PROBLEMS } from "./problems.js";

const NEEDED = [
  window.OffscreenCanvas,
  window.createImageBitmap,
  HTMLVideoElement.prototype.requestVideoFrameCallback,
  CanvasRenderingContext2D.prototype.roundRect,
];

const messages = new Messages();
try {
  if (!NEEDED.every(Boolean)) throw PROBLEMS.old();
  new Player(await request("/api/info"), messages).begin();
} catch (error) {
  messages.problem(asProblem(error), () => location.reload(), true);
}

/** Drawing of faces on a canvas: points, lines, mesh, and corners with the id. */

import { DOT, INK, colorOf, pictureScale, strokes } from "./theme.js";

/** Layers of a drawing, and the styles that follow each other, as in the live window. */
export const LAYERS = ["points", "lines", "mesh", "box"];
const CYCLE = [["points", "lines", "box"], ["points", "box"], ["lines", "box"], ["mesh", "box"], []];

const OUTSIDE = 0.08; // distance of the corners from the tight box, as a share of the face's size
const ARM = 0.16; // length of a corner's arms, as a share of the box's shorter side

/** Return the layers that follow ``layers``; any other choice is followed by the default. */
export function nextLayers(layers) {
  const names = CYCLE.map((style) => style.join());
  const sorted = LAYERS.filter((layer) => layers.includes(layer)).join();
  return CYCLE[(names.indexOf(sorted) + 1) % CYCLE.length];
}

/**
 * Draw faces of a result on a canvas.
 *
 * ``place`` maps pixels of the result to pixels of the canvas: {x, y} scales, a ``width`` of the canvas over
 * which a mirrored picture is turned (0: not mirrored), and ``unit``, canvas pixels to one of the screen.
 * Coordinates of results count from the centre of the top left pixel, those of a canvas from its corner.
 */
export function drawFaces(context, faces, layers, scheme, place) {
  const { width, height } = context.canvas;
  const scale = pictureScale(width / place.unit, height / place.unit);
  context.save();
  context.lineJoin = "round";
  for (const face of faces) drawFace(context, face, layers, scheme, place, scale);
  context.restore();
}

function drawFace(context, face, layers, scheme, place, scale) {
  const points = face.landmarks.map(([x, y]) => placed(x, y, place));
  const box = around(points);
  const size = Math.sqrt((box.right - box.left) * (box.bottom - box.top));
  // A fine screen draws small faces finer than one pixel of others, but letters must be read on it, too.
  const widths = strokes(size, scale * place.unit);
  widths.pill = place.unit * strokes(size / place.unit, scale).pill;
  const color = colorOf(face.id);
  if (layers.includes("mesh")) drawEdges(context, points, scheme.mesh, widths.mesh, color);
  if (layers.includes("lines")) drawEdges(context, points, scheme.edges, widths.line, color);
  if (layers.includes("points")) drawDots(context, points, widths.dot, widths.ring);
  if (layers.includes("box")) drawCorners(context, box, size, face.id, widths, color);
}

function placed(x, y, place) {
  const across = (x + 0.5) * place.x;
  return [place.width ? place.width - across : across, (y + 0.5) * place.y];
}

function around(points) {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

function drawEdges(context, points, edges, width, color) {
  context.beginPath();
  for (const [start, end] of edges) {
    context.moveTo(...points[start]);
    context.lineTo(...points[end]);
  }
  context.lineWidth = width;
  context.strokeStyle = color;
  context.stroke();
}

/** Rings first, then discs, so that no ring covers a neighbouring disc. */
function drawDots(context, points, radius, ring) {
  for (const [color, reach] of [[INK, radius + ring], [DOT, radius]]) {
    context.beginPath();
    for (const [x, y] of points) {
      context.moveTo(x + reach, y);
      context.arc(x, y, reach, 0, 2 * Math.PI);
    }
    context.fillStyle = color;
    context.fill();
  }
}

function drawCorners(context, tight, size, id, widths, color) {
  const outside = OUTSIDE * size;
  const left = tight.left - outside;
  const top = tight.top - 1.5 * outside;
  const right = tight.right + outside;
  const bottom = tight.bottom + outside;
  const arm = ARM * Math.min(right - left, bottom - top);
  context.beginPath();
  for (const [x, y, across, down] of [
    [left, top, arm, arm],
    [right, top, -arm, arm],
    [left, bottom, arm, -arm],
    [right, bottom, -arm, -arm],
  ]) {
    context.moveTo(x + across, y);
    context.lineTo(x, y);
    context.lineTo(x, y + down);
  }
  context.lineWidth = widths.corner;
  context.strokeStyle = color;
  context.stroke();
  drawPill(context, String(id), left, top - 0.25 * widths.pill, widths.pill, color);
}

/** Draw dark, bold text on a pill whose left and bottom are given, moved into the picture. */
function drawPill(context, text, left, bottom, height, color) {
  context.font = `700 ${0.66 * height}px system-ui, sans-serif`;
  const width = Math.max(context.measureText(text).width + 0.6 * height, 1.12 * height);
  const x = Math.min(Math.max(left, 0), Math.max(context.canvas.width - width, 0));
  const y = Math.min(Math.max(bottom - height, 0), Math.max(context.canvas.height - height, 0));
  context.beginPath();
  context.roundRect(x, y, width, height, height / 2);
  context.fillStyle = color;
  context.fill();
  context.fillStyle = INK;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, x + width / 2, y + 0.53 * height);
}

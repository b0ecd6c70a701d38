/** Charts of one face over the last 30 seconds: head pose, eyes, mouth. */

import { FACE_COLORS, PRINTED_COLORS } from "./theme.js";

const SPAN_S = 30;
const GAP_S = 1; // longer without the face, and the line is broken
const DRAW_MS = 100;
const TOP = 24; // pixels of the legend
const DASHES = [[], [6, 3], [2, 3]]; // lines differ in more than their colour

const degrees = (value) => `${Math.round(value)}°`.replace("-", "−");
const ratio = (value) => value.toFixed(2);

const CHARTS = [
  {
    id: "chart-pose",
    title: "Head",
    range: [-30, 30],
    unit: degrees,
    lines: { yaw: (m) => m.yaw_deg, pitch: (m) => m.pitch_deg, roll: (m) => m.roll_deg },
  },
  {
    id: "chart-eyes",
    title: "Eyes open",
    range: [0, 0.4],
    unit: ratio,
    lines: { left: (m) => m.eye_open[0], right: (m) => m.eye_open[1] },
  },
  {
    id: "chart-mouth",
    title: "Mouth open",
    range: [0, 0.8],
    unit: ratio,
    lines: { "": (m) => m.mouth_open },
  },
];

/** The three canvases, which follow the results of all faces and show those of one. */
export class Charts {
  #samples = new Map(); // by id: [{timeS, measures}]
  #nowS = -1;
  #shownId = null;
  #drawnMs = 0;
  #canvases = CHARTS.map(({ id }) => document.getElementById(id));
  #dark = matchMedia("(prefers-color-scheme: dark)");

  constructor() {
    this.#dark.addEventListener("change", () => this.draw());
    const observer = new ResizeObserver(() => this.draw());
    for (const canvas of this.#canvases) observer.observe(canvas);
  }

  clear() {
    this.#samples.clear();
    this.#nowS = -1;
    this.draw();
  }

  /** Show the face ``id``, null for none. */
  show(id) {
    if (id === this.#shownId) return;
    this.#shownId = id;
    this.draw();
  }

  add(record) {
    if (record.time_s <= this.#nowS) this.#samples.clear(); // a video turned back, a picture tracked again
    this.#nowS = record.time_s;
    for (const { id, measures } of record.faces) {
      if (!measures) continue;
      if (!this.#samples.has(id)) this.#samples.set(id, []);
      this.#samples.get(id).push({ timeS: record.time_s, measures });
    }
    if (performance.now() - this.#drawnMs > DRAW_MS) this.draw();
  }

  draw() {
    this.#drawnMs = performance.now();
    this.#forget();
    const samples = this.#samples.get(this.#shownId) ?? [];
    const style = getComputedStyle(document.documentElement);
    const look = {
      colors: this.#dark.matches ? FACE_COLORS : PRINTED_COLORS,
      text: style.getPropertyValue("--text"),
      soft: style.getPropertyValue("--soft"),
      edge: style.getPropertyValue("--edge"),
    };
    CHARTS.forEach((chart, i) => drawChart(this.#canvases[i], chart, samples, this.#nowS, look));
  }

  #forget() {
    for (const [id, samples] of this.#samples) {
      const first = samples.findIndex(({ timeS }) => timeS >= this.#nowS - SPAN_S);
      if (first < 0) this.#samples.delete(id);
      else if (first > 0) samples.splice(0, first);
    }
  }
}

function drawChart(canvas, chart, samples, nowS, look) {
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (!width) return;
  canvas.width = Math.round(width * devicePixelRatio);
  canvas.height = Math.round(height * devicePixelRatio);
  const context = canvas.getContext("2d");
  context.scale(devicePixelRatio, devicePixelRatio);
  const lines = Object.entries(chart.lines).map(([name, read]) => ({
    name,
    points: samples.map(({ timeS, measures }) => [timeS, read(measures)]),
  }));
  const range = rangeOf(chart.range, lines);
  const place = {
    x: (timeS) => width - 3 - ((nowS - timeS) / SPAN_S) * (width - 36),
    y: (value) => height - 5 - ((value - range[0]) / (range[1] - range[0])) * (height - TOP - 8),
  };
  drawGrid(context, chart, range, place, width, look);
  lines.forEach(({ points }, i) => drawLine(context, points, place, look.colors[i], DASHES[i]));
  drawLegend(context, chart, lines, width, look);
  canvas.setAttribute("aria-label", described(chart, lines));
}

/** Return the usual range, wider where values lie outside. */
function rangeOf([low, high], lines) {
  const values = lines.flatMap(({ points }) => points.map((point) => point[1])).filter((v) => v !== null);
  return [Math.min(low, ...values), Math.max(high, ...values)];
}

function drawGrid(context, chart, range, place, width, look) {
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  const middle = range[0] < 0 ? 0 : (range[0] + range[1]) / 2;
  for (const value of [range[0], middle, range[1]]) {
    const y = Math.round(place.y(value)) + 0.5;
    context.strokeStyle = look.edge;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(33, y);
    context.lineTo(width, y);
    context.stroke();
    context.fillStyle = look.soft;
    context.fillText(chart.unit(value), 28, y);
  }
}

function drawLine(context, points, place, color, dash) {
  context.strokeStyle = color;
  context.lineWidth = 1.75;
  context.lineJoin = "round";
  context.setLineDash(dash);
  context.beginPath();
  let last = -Infinity;
  for (const [timeS, value] of points) {
    if (value === null) continue;
    if (timeS - last > GAP_S) context.moveTo(place.x(timeS), place.y(value));
    else context.lineTo(place.x(timeS), place.y(value));
    last = timeS;
  }
  context.stroke();
  drawEnd(context, points.at(-1), place, color);
}

/** Mark the newest value; of a picture it is the only one. */
function drawEnd(context, point, place, color) {
  if (!point || point[1] === null) return;
  context.fillStyle = color;
  context.beginPath();
  context.arc(place.x(point[0]), place.y(point[1]), 2.5, 0, 2 * Math.PI);
  context.fill();
}

function drawLegend(context, chart, lines, width, look) {
  context.font = "600 12px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillStyle = look.text;
  context.fillText(chart.title, 0, 9);
  const titleEnd = context.measureText(chart.title).width;
  context.textAlign = "right";
  context.font = "12px system-ui, sans-serif";
  const texts = newest(chart, lines, "–");
  const room = (width - titleEnd - context.measureText(texts.join("")).width) / lines.length;
  const key = Math.min(Math.max(room - 18, 8), 16); // shorter where little room is left
  let x = width;
  [...lines.keys()].reverse().forEach((i) => {
    context.fillStyle = look.soft;
    context.fillText(texts[i], x, 9);
    x -= context.measureText(texts[i]).width + 5;
    context.strokeStyle = look.colors[i];
    context.lineWidth = 2.5;
    context.setLineDash(DASHES[i].map((length) => length / 1.2));
    context.beginPath();
    context.moveTo(x - key, 9);
    context.lineTo(x, 9);
    context.stroke();
    x -= key + Math.min(Math.max(room - key - 5, 6), 12);
  });
}

/** Return name and newest value of each line. */
function newest(chart, lines, unknown) {
  return lines.map(({ name, points }) => {
    const value = points.at(-1)?.[1] ?? null;
    return `${name} ${value === null ? unknown : chart.unit(value)}`.trim();
  });
}

/** Return the newest values as a text for those who cannot see the lines. */
function described(chart, lines) {
  return `${chart.title}: ${newest(chart, lines, "unknown").join(", ")}`;
}

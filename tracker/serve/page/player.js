/** One source at a time: its frames go to the picture, the figures and the results. */

import { Badge } from "./badge.js";
import { Camera, listCameras } from "./camera.js";
import { Charts } from "./charts.js";
import { Controls } from "./controls.js";
import { isVideo } from "./files.js";
import { FaceList } from "./face_list.js";
import { nextLayers } from "./faces.js";
import { Film } from "./film.js";
import { FilmBar } from "./film_bar.js";
import { Live } from "./live.js";
import { asProblem } from "./problems.js";
import { Results, save } from "./results.js";
import { Settings } from "./settings.js";
import { Stage } from "./stage.js";
import { Still } from "./still.js";

const SKIP_S = 5;
const FRAME_KEYS = { ",": -1, ".": 1 };
const SKIP_KEYS = { ArrowLeft: -SKIP_S, ArrowRight: SKIP_S };

/** What the user sees and does; ``info`` is the answer of /api/info. */
export class Player {
  #info;
  #messages;
  #source = null;
  #frozen = false;
  #idShift = 0; // added to the ids of the present tracker, so that none comes twice
  #lastId = 0;
  #stage;
  #settings;
  #controls;
  #results;
  #badge = new Badge();
  #charts = new Charts();
  #faces = new FaceList((id) => this.#charts.show(id));
  #filmBar = new FilmBar((timeS) => this.#source.seek(timeS));

  constructor(info, messages) {
    this.#info = info;
    this.#messages = messages;
    const canvas = document.getElementById("canvas");
    this.#stage = new Stage(canvas, info.scheme);
    this.#results = new Results(info.scheme.points);
    this.#settings = new Settings(info, {
      look: () => this.#showLook(),
      tracker: () => this.#restart(),
      camera: () => this.#source?.isOwn && this.#useCamera(),
    });
    this.#controls = new Controls(
      info,
      (key) => this.#act(key),
      (...files) => this.#openFile(...files),
      (text) => messages.note(text),
    );
    canvas.addEventListener("shown", ({ detail }) => this.#count(detail));
    document.addEventListener("visibilitychange", () => this.#seen());
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#offerCameras());
    this.#showLook();
  }

  /** Begin with the server's camera where it has one, else with nothing. */
  begin() {
    this.#offerCameras();
    if (this.#info.live) this.#useLive();
  }

  #useCamera() {
    const mostPixels = this.#info.limits.message_pixels;
    return this.#open((on) => new Camera(this.#settings.camera, mostPixels, on)).then(() => this.#offerCameras());
  }

  #useLive() {
    return this.#open((on) => new Live(this.#info.live.name, on));
  }

  #openFile(file, others = 0) {
    if (others) this.#messages.note(`${others} more left out: drop one file at a time`);
    const { picture_bytes: mostBytes, message_pixels: mostPixels } = this.#info.limits;
    return this.#open((on) => (isVideo(file) ? new Film(file, mostPixels, on) : new Still(file, mostBytes, on)));
  }

  /** Replace the source by what ``make`` returns for its callbacks. */
  async #open(make) {
    this.#stop();
    const again = () => this.#open(make);
    const isCurrent = () => this.#source === source;
    const fail = (error) => {
      if (!isCurrent()) return;
      this.#stop();
      this.#messages.problem(asProblem(error), again);
    };
    const source = make({
      shown: (picture, record, capturedMs) => this.#show(picture, record, capturedMs),
      state: (text) => isCurrent() && this.#showState(text),
      problem: fail,
      note: (text) => this.#messages.note(text),
      restarted: () => this.#shiftIds(),
      played: () => isCurrent() && this.#showPlayback(),
    });
    this.#source = source;
    this.#begin();
    await source.start(this.#settings.tracker).catch(fail);
    if (!isCurrent()) source.stop(); // another one was opened meanwhile
  }

  #begin() {
    this.#messages.clear();
    this.#clearResults();
    this.#idShift = this.#lastId = 0;
    const isServers = this.#source instanceof Live;
    this.#settings.hold(isServers ? "Model and smoothing are those that the server was started with." : "");
    this.#controls.began(this.#source, isServers);
    this.#messages.state(this.#source.isOwn ? "starting: allow the camera if asked" : "starting");
    this.#showLook();
  }

  #stop() {
    this.#source?.stop();
    this.#source = null;
    this.#frozen = false;
    this.#stage.clear();
    for (const part of [this.#badge, this.#charts, this.#faces, this.#messages]) part.clear();
    this.#filmBar.hide();
    this.#settings.hold("");
    this.#controls.ended();
  }

  /** Begin with another model or smoothing. */
  #restart() {
    const source = this.#source;
    const fail = (error) => this.#messages.problem(asProblem(error), () => this.#restart());
    if (source) Promise.resolve(source.restart(this.#settings.tracker)).catch(fail);
  }

  #show(picture, record, capturedMs) {
    const faces = record.faces.map((face) => ({ ...face, id: face.id + this.#idShift }));
    this.#lastId = Math.max(this.#lastId, ...faces.map(({ id }) => id));
    this.#stage.show(picture, { ...record, faces }, capturedMs);
  }

  #shiftIds() {
    this.#idShift = this.#lastId;
  }

  #count({ record, capturedMs }) {
    const isStill = this.#source instanceof Still;
    const model = this.#source instanceof Live ? this.#info.model : this.#settings.tracker.model;
    this.#badge.add(record, isStill ? null : capturedMs, model);
    this.#charts.add(record);
    this.#faces.update(record);
    this.#results.add(record, this.#source.name);
    this.#controls.showResults(this.#results);
    this.#messages.state(this.#stateText());
    if (this.#source instanceof Film) this.#showPlayback();
    if (isStill) this.#messages.tell(`Faces in the picture: ${record.faces.length}`);
  }

  #showLook() {
    const mirrored = this.#settings.mirrors(this.#source?.isOwn ?? true);
    this.#stage.setLook(this.#settings.layers, mirrored);
    this.#controls.showMirror(mirrored);
  }

  #showPlayback() {
    this.#filmBar.show(this.#source);
    this.#controls.showPaused(this.#source.isPaused);
    this.#messages.state(this.#stateText());
  }

  /** Show what a connection says, "" where there is nothing to say. */
  #showState(text) {
    if (text) this.#badge.stall();
    this.#messages.state(text || this.#stateText(), Boolean(text));
  }

  #stateText() {
    if (this.#frozen) return "frozen";
    if (this.#source instanceof Still && !this.#stage.record?.faces.length) return "no face found";
    if (!(this.#source instanceof Film) || !this.#source.isPaused) return "";
    return this.#source.isAtEnd ? "at the end" : "paused";
  }

  #act(key) {
    const actions = {
      c: () => (this.#source?.isOwn ? this.#stop() : this.#useCamera()),
      v: () => this.#info.live && this.#useLive(),
      q: () => this.#stop(),
      s: () => this.#saveSnapshot(),
      d: () => this.#saveResults("jsonLines", ".jsonl"),
      csv: () => this.#saveResults("csv", ".csv"),
      clear: () => this.#clearResults(),
      m: () => this.#mirror(),
      p: () => this.#nextDrawing(),
      " ": () => this.#freeze(),
    };
    if (key in actions) return actions[key]();
    if (!(this.#source instanceof Film)) return undefined;
    if (key in SKIP_KEYS) this.#source.seek(this.#source.timeS + SKIP_KEYS[key]);
    if (key in FRAME_KEYS) this.#source.step(FRAME_KEYS[key]);
    return undefined;
  }

  #mirror() {
    const isOwn = this.#source?.isOwn ?? true;
    this.#settings.setMirror(isOwn, !this.#settings.mirrors(isOwn));
    this.#showLook();
  }

  #nextDrawing() {
    this.#settings.layers = nextLayers(this.#settings.layers);
    const names = this.#settings.layers.map((layer) => (layer === "box" ? "corners" : layer));
    this.#messages.note(`drawing: ${names.join(", ") || "none"}`);
    this.#showLook();
  }

  #freeze() {
    if (this.#source instanceof Film) return this.#source.toggle();
    if (!this.#source?.canPause) return undefined;
    this.#frozen = !this.#frozen;
    if (this.#frozen) this.#source.pause();
    else this.#source.resume();
    this.#messages.state(this.#stateText());
    return this.#controls.showPaused(this.#frozen);
  }

  /** Nothing is sent or asked for while nobody sees the page. */
  #seen() {
    if (document.hidden) this.#source?.pause();
    else if (!this.#frozen) this.#source?.resume();
  }

  async #saveSnapshot() {
    if (!this.#stage.record) return;
    this.#messages.note(`saved ${save(await this.#stage.snapshot(), ".png")}`);
  }

  #saveResults(form, ending) {
    if (!this.#results.length) return this.#messages.note("no results yet");
    return this.#messages.note(`saved ${save(this.#results[form](), ending)}`);
  }

  #clearResults() {
    this.#results.clear();
    this.#controls.showResults(this.#results);
  }

  async #offerCameras() {
    this.#settings.offerCameras(await listCameras());
  }
}

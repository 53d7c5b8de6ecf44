// The picture of a race: the ground, the paths over it, and both in three dimensions.
import { h } from "../dom.js";
import { surfaceOf } from "../engine/path.js";
import { nameOf } from "../labels.js";
import { survey } from "../landscape.js";
import { drawGround, firstFrame } from "../plot/ground.js";
import { pathCanvas } from "../plot/paths.js";
import { mapOf, withoutPoles } from "../plot/poles.js";
import { onPicture, pathsOf } from "./racers.js";
import { problemOf } from "./state.js";

/** The picture; `state()` gives the settings of the race as they are now. */
export class Picture {
  constructor({ surfaces, state, signal }) {
    this.surfaces = surfaces;
    this.state = state;
    this.signal = signal;
    this.ground = h("div", { class: "ground" });
    this.canvas = h("canvas", { class: "paths", tabindex: 0, role: "img" });
    this.solid = h("div", { class: "solid", hidden: true });
    const trail = h("canvas", { class: "trail", "aria-hidden": "true" });
    this.element = h("div", { class: "picture" }, this.ground, trail, this.canvas, this.solid);
    this.path = pathCanvas(this.canvas, trail);
    // Made when it is first shown: the first picture does not wait for its script.
    this.scene = null;
    this.map = null;
    signal.addEventListener("abort", () => window.Plotly?.purge(this.ground));
  }

  /** Give the part of the plane that is shown. */
  frame() {
    const { surface, start, frame } = this.state();
    return frame ?? firstFrame(this.surfaces.find(({ name }) => name === surface) ?? null, start);
  }

  /** Describe the picture in words, and show or hide its third dimension. */
  describe() {
    const { surface, formula, optimizers, start, view } = this.state();
    const names = optimizers.filter(({ off }) => !off).map(nameOf);
    const text =
      `Paths of ${names.join(", ")} on ${surface ?? formula} from (${start.join(", ")}). ` +
      "Arrow keys move the start; the figures are in the table below.";
    this.canvas.setAttribute("aria-label", text);
    this.solid.hidden = view !== "3d" || this.map?.dimension === 1;
  }

  /** Give the program of the surface of a state: of the catalogue, or of the formula whose map is shown; else null. */
  programOf({ surface, formula }) {
    if (surface !== null) return this.surfaces.find(({ name }) => name === surface)?.program ?? null;
    return this.read?.formula === formula ? this.read.program : null;
  }

  /** Request the map of the problem, and draw it. What was drawn of another surface is removed first. */
  async drawMap(signal) {
    const { surface, formula } = this.state();
    const frame = this.frame();
    const subject = surface ?? `ƒ ${formula}`;
    if (subject !== this.subject) this.clearMap();
    this.subject = subject;
    // Paths and clicks may come before the map. In one dimension the heights are not known yet.
    if (frame.length === 4) this.path.frame(frame);
    const problem = problemOf(this.state());
    const map = await survey(problem, frame, signal);
    if (surface === null) this.read = { formula, program: map.program };
    this.map = withoutPoles(map, surfaceOf(map.program, map.dimension, problem.parameters));
    const ends = await drawGround(this.ground, this.map, frame);
    if (signal.aborted) return;
    this.ground.style.visibility = "";
    this.path.frame(ends);
    this.showStart();
    this.path.fixed({ minima: this.map.minima.map(({ position, value }) => onPicture(position, value)) });
  }

  /** Draw the ground of a formula while a letter of it moves, as the browser computes it. */
  async sketch(state) {
    const program = this.programOf(state);
    if (!program || !this.map || this.isSketching) return;
    this.isSketching = true;
    const { dimension } = this.map;
    const surface = surfaceOf(program, dimension, state.parameters);
    const frame = this.frame();
    this.map = { ...this.map, ...withoutPoles(mapOf(surface, frame), surface), minima: [] };
    this.path.fixed({ minima: [] });
    try {
      this.path.frame(await drawGround(this.ground, this.map, frame));
    } finally {
      this.isSketching = false;
    }
  }

  /** Remove the map, its minima and the paths over it. */
  clearMap() {
    this.map = this.subject = null;
    this.ground.style.visibility = "hidden";
    this.path.fixed({ minima: [] });
    this.solid.hidden = true;
  }

  /** Remove the paths. */
  clearPaths() {
    this.path.paths([]);
    this.path.arrows([]);
    this.scene?.clear();
  }

  /** Mark the start, of the settings or while it is dragged. */
  showStart(start = this.state().start) {
    this.path.fixed({ start: onPicture(start, this.heightAt(start)) });
  }

  /** Read the height of a point off the map; only in one dimension, where it is the second coordinate. */
  heightAt([x]) {
    if (this.map?.dimension !== 1) return 0;
    const { x: places, loss } = this.map;
    const at = Math.round(((x - places[0]) / (places.at(-1) - places[0])) * (places.length - 1));
    return Number(loss[Math.min(places.length - 1, Math.max(0, at))]);
  }

  /** Draw the paths of the racers. */
  drawPaths(racers) {
    this.path.paths(racers.flatMap(pathsOf));
  }

  /** Draw the third dimension where it is chosen. */
  async drawSpace(racers, step) {
    const { view, start, height } = this.state();
    this.solid.hidden = view !== "3d" || this.map?.dimension !== 2;
    if (this.solid.hidden || !racers.length) return;
    const { space } = await import("./space.js");
    if (this.signal.aborted) return;
    this.scene ??= space(this.solid, this.signal);
    await this.scene.draw({ map: this.map, paths: racers.flatMap(pathsOf), step, start, height });
  }

  /** Show the paths up to a step. */
  showStep(step) {
    this.path.show(step);
    if (!this.solid.hidden) this.scene?.show(step);
  }

  /** Show another part of the plane at once, before its map is there; null is all of it. */
  zoom(frame) {
    this.path.frame(frame ?? this.frame());
  }

  /** Fit everything to the size of the element. */
  async resize() {
    this.path.resize();
    if (this.map) this.path.frame(await drawGround(this.ground, this.map, this.frame()));
  }

  /** Take the colours of the page as they are now. */
  recolour(racers) {
    this.path.recolour();
    this.drawPaths(racers);
    if (this.map) drawGround(this.ground, this.map, this.frame());
  }
}

// The picture of a race: the ground, the paths over it, and both in three dimensions.
import { h } from "../dom.js";
import { survey } from "../landscape.js";
import { drawGround, firstFrame } from "./ground.js";
import { pathCanvas } from "./paths.js";
import { onPicture, pathsOf } from "./racers.js";
import { space } from "./space.js";
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
    this.element = h("div", { class: "picture" }, this.ground, this.canvas, this.solid);
    this.path = pathCanvas(this.canvas);
    this.scene = space(this.solid, signal);
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
    const names = optimizers.filter(({ off }) => !off).map(({ kind, label }) => label ?? kind);
    const text =
      `Paths of ${names.join(", ")} on ${surface ?? formula} from (${start.join(", ")}). ` +
      "Arrow keys move the start; the figures are in the table below.";
    this.canvas.setAttribute("aria-label", text);
    this.solid.hidden = view !== "3d" || this.map?.dimension === 1;
  }

  /** Request the map of the problem, and draw it. */
  async drawMap() {
    const frame = this.frame();
    // Paths and clicks may come before the map. In one dimension the heights are not known yet.
    this.path.frame(frame.length === 4 ? frame : [...frame, 0, 1]);
    this.map = await survey(problemOf(this.state()), frame, this.signal);
    this.path.frame(await drawGround(this.ground, this.map, frame));
    this.showStart();
    this.path.fixed({ minima: this.map.minima.map(({ position, value }) => onPicture(position, value)) });
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
  drawSpace(racers, step) {
    this.solid.hidden = this.state().view !== "3d" || this.map?.dimension !== 2;
    if (!this.solid.hidden && racers.length) this.scene.draw(this.map, racers.flatMap(pathsOf), step);
  }

  /** Show the paths up to a step. */
  showStep(step) {
    this.path.show(step);
    if (!this.solid.hidden) this.scene.show(step);
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

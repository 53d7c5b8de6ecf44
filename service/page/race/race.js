// A race: its settings, its job, and everything that is drawn of it.
import { h } from "../dom.js";
import { number } from "../format.js";
import { theoryOf } from "../landscape.js";
import { countUp } from "../marks.js";
import { curves } from "../plot/curves.js";
import { calm, complain, failure } from "../states.js";
import { arrowsAt } from "./arrows.js";
import { clock } from "./clock.js";
import { controls } from "./controls.js";
import { RaceJob } from "./job.js";
import { Picture } from "./picture.js";
import { racersOf, restyled } from "./racers.js";
import { readouts } from "./readouts.js";
import { problemOf, specOf, writeState } from "./state.js";

// Time between a turn of the wheel and the request of the map.
const ZOOM_MS = 120;

export class Race {
  constructor({ root, catalogue, state, signal }) {
    this.root = root;
    this.catalogue = catalogue;
    this.state = state;
    this.signal = signal;
    this.racers = [];
    this.job = new RaceJob();
    this.running = null;
    this.zooming = null;
    this.problems = h("div", { class: "problems" });
    this.figures = h(
      "section",
      { class: "readouts", "aria-label": "Result", "aria-live": "polite" },
      h("div", { class: "skeleton", style: { height: "160px" } }),
    );
    this.loss = h("div", { class: "loss" });
    this.chart = curves(this.loss, signal);
    this.picture = new Picture({ surfaces: catalogue.surfaces, state: () => this.state, signal });
    this.clock = clock({ signal, show: (step) => this.showStep(step), settle: (step) => this.settle(step) });
    this.panel = controls({ state, catalogue, change: (part, how) => this.change(part, how) });
  }

  /** Take a change of the settings: `redraws` where the ground is another one, `runs` where the race is run again. */
  async change(part, { runs = true, redraws = false } = {}) {
    this.state = { ...this.state, ...part };
    if (redraws) this.state.frame = part.frame ?? null;
    writeState(this.state);
    this.picture.describe();
    if (runs) this.running?.abort();
    // An invalid formula is reported only once.
    const isFormula = this.state.surface === null;
    if (redraws && isFormula && !(await this.drawMap())) return;
    await Promise.all([redraws && !isFormula ? this.drawMap() : null, runs ? this.run() : null]);
    if (redraws || part.view) this.drawSpace();
  }

  /** Draw the map; gives whether there is one. */
  async drawMap() {
    try {
      await this.picture.drawMap();
      this.panel.readAs(this.picture.map.formula);
      return true;
    } catch (error) {
      this.tell(error);
      return false;
    }
  }

  /** Run the race as a job, and draw it. */
  async run() {
    const mine = (this.running = new AbortController());
    this.signal.addEventListener("abort", () => mine.abort());
    const spec = specOf(this.state);
    if (!spec) return;
    try {
      const { job, histories } = await this.job.run(spec, mine.signal);
      calm(this.root);
      this.problems.replaceChildren(job.error ? failure({ title: "The job failed", message: job.error.detail }) : "");
      this.racers = racersOf(spec, histories);
      this.draw();
      countUp(this.root, "raced");
      performance.mark("raced");
      await this.tellFigures(job, spec, mine.signal);
    } catch (error) {
      this.tell(error);
    }
  }

  /** Show the figures of an ended race. Theory is requested after the paths are drawn, which must not wait for it. */
  async tellFigures(job, spec, signal) {
    this.figures.classList.add("stale");
    const theory = await this.limits(signal);
    const race = this.racers;
    await readouts(this.figures, { job, spec, race, theory, keep: () => this.job.keep() }, signal);
    this.figures.classList.remove("stale");
  }

  draw() {
    this.picture.drawPaths(this.racers);
    this.picture.showStart();
    this.clock.range(Math.max(...this.racers.flatMap(({ runs }) => runs.map(({ epoch }) => epoch.at(-1)))));
    // The paths are seen one frame before the curves, which take Plotly longer than everything else.
    requestAnimationFrame(() => setTimeout(() => this.drawChart()));
    if (this.state.view === "3d") this.drawSpace();
  }

  drawChart() {
    if (this.signal.aborted) return;
    this.chart.draw({
      series: () => restyled(this.racers).map(({ label, style, band }) => ({ label, style, ...band })),
      xTitle: "step",
      yTitle: "loss",
    });
  }

  drawSpace() {
    this.picture.drawSpace(this.racers, this.clock.at);
  }

  showStep(step) {
    this.picture.showStep(step);
    this.chart.rule(step);
  }

  /** When the clock stops: write the step to the address, and draw arrows. */
  async settle(step) {
    if (step !== this.state.steps) writeState({ ...this.state, step });
    const arrows = await arrowsAt(this.racers, step, problemOf(this.state), this.signal);
    if (this.clock.at === step) this.picture.path.arrows(arrows);
  }

  /** Mark the limits of stability on the sliders; gives the theory of the optimizers that race. */
  async limits(signal) {
    const theory = await theoryOf(this.catalogue, problemOf(this.state), this.state.optimizers, signal);
    theory.forEach((one, at) => {
      const limit = one ? number(one.setting.lr_limit) : null;
      this.panel.optimizers.limit(at, limit, limit === null ? "" : `stable below ${limit.toPrecision(4)}`);
    });
    return theory.filter((_, at) => !this.state.optimizers[at].off);
  }

  /** Show another part of the plane; null is all of it. */
  zoom(frame) {
    if (this.picture.map?.dimension !== 2) return;
    this.state.frame = frame;
    this.picture.zoom(frame);
    clearTimeout(this.zooming);
    this.zooming = setTimeout(() => this.change({ frame }, { runs: false, redraws: true }), ZOOM_MS);
  }

  /** Fit everything to the size of the window. */
  resize() {
    this.picture.resize();
    this.drawSpace();
  }

  /** Take the colours of the page as they are now. */
  recolour() {
    this.racers = restyled(this.racers);
    this.picture.recolour(this.racers);
    this.panel.optimizers.set(this.state.optimizers);
    this.drawSpace();
  }

  /** Show an error beside the control that caused it, or above the result. */
  tell(error) {
    if (error.name === "AbortError" || this.signal.aborted) return;
    const rest = complain(this.root, error);
    this.problems.replaceChildren(
      rest.length || !error.errors?.length ? failure({ ...error, message: error.message, errors: rest }) : "",
    );
  }
}

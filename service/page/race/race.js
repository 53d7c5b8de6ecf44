// A race: its settings, its job, and everything that is drawn of it.
import { h } from "../dom.js";
import { once, timed } from "../marks.js";
import { clock } from "../controls/clock.js";
import { curves } from "../plot/curves.js";
import { progressBar } from "../controls/progress.js";
import { restarts } from "../restarts.js";
import { calm, complain, empty, failure, viewState } from "../states.js";
import { insistent } from "../watchdog.js";
import { arrowsAt } from "./arrows.js";
import { controls } from "./controls.js";
import { RaceJob } from "./job.js";
import { Moving } from "./moving.js";
import { Picture } from "./picture.js";
import { Preview } from "./preview.js";
import { racersOf, restyled } from "./racers.js";
import { withStableRates } from "./rates.js";
import { specOf, writeState } from "./state.js";
import { noticeOf, tellFigures } from "./telling.js";
import { undo } from "./undo.js";

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
    this.runs = restarts(signal);
    this.maps = restarts(signal);
    this.past = undo();
    this.zooming = null;
    this.standing = viewState(root, () => this.clear());
    this.problems = h("div", { class: "problems" });
    this.waiting = progressBar("the race");
    this.waiting.element.classList.add("waits");
    this.figures = h("section", { class: "readouts dims", "aria-label": "Result", "aria-live": "polite" });
    this.notice = h("span", { class: "notice" });
    this.loss = h("div", { class: "loss dims" });
    this.chart = curves(this.loss, signal);
    this.picture = new Picture({ surfaces: catalogue.surfaces, state: () => this.state, signal });
    this.preview = new Preview({ catalogue, programOf: (of) => this.picture.programOf(of) });
    this.moving = new Moving(this);
    this.clock = clock({ signal, show: (step) => this.showStep(step), settle: (step) => this.settle(step) });
    this.panel = this.controls();
  }

  controls() {
    const change = (part, how) => this.change(part, how);
    const rates = this.catalogue.rates("surface");
    const stable = (state) => withStableRates(state, { preview: this.preview, rates });
    const drag = (part) => this.moving.to(part);
    const refuse = (part, error) => this.refuse(part, error);
    return controls({ state: this.state, catalogue: this.catalogue, signal: this.signal, change, stable, drag, refuse });
  }

  /**
   * Take a change of the settings: `redraws` where the ground is another one, `runs` where the race is run again, `step`
   * unless it cannot be undone, `framed` where the part of the plane stays.
   */
  async change(part, { runs = true, redraws = false, step = true, framed = false } = {}) {
    this.moving.end();
    const isNew = Object.keys(part).some((name) => JSON.stringify(part[name]) !== JSON.stringify(this.state[name]));
    if (step && isNew) this.past.push(this.state);
    this.state = { ...this.state, ...part };
    if (redraws && !framed) this.state.frame = part.frame ?? null;
    writeState(this.state);
    this.picture.describe();
    this.notice.textContent = noticeOf(this.state);
    const signal = runs ? this.begin() : null;
    // An invalid formula is reported only once, and is not raced.
    const isFormula = this.state.surface === null;
    if (redraws && isFormula && (!(await this.drawMap()) || signal?.aborted)) return;
    await Promise.all([redraws && !isFormula ? this.drawMap() : null, runs ? this.run(signal) : null]);
    if (redraws || part.view || "height" in part) this.drawSpace();
  }

  /** Take a formula, or a start without a part, that cannot be read: nothing of another one stays in sight. */
  refuse(part, error) {
    this.moving.end();
    if (part) {
      this.maps.stop();
      this.past.push(this.state);
      this.state = { ...this.state, ...part };
      writeState(this.state);
      this.picture.clearMap();
    }
    this.fail(error);
  }

  begin() {
    this.standing.computing();
    return this.runs.next();
  }

  /** Show other settings in the controls. */
  set(state) {
    this.state = { ...state };
    const panel = this.controls();
    this.panel.element.replaceWith(panel.element);
    this.panel = panel;
  }

  /** Go to other settings as a whole, as undo does. */
  restore(state) {
    if (!state) return;
    this.set(state);
    this.change({ frame: state.frame }, { redraws: true, step: false });
  }

  /** Draw the map; gives whether there is one. */
  async drawMap() {
    const signal = this.maps.next();
    try {
      await this.picture.drawMap(signal);
      if (signal.aborted) return false;
      this.panel.readAs(this.picture.map);
      return true;
    } catch (error) {
      if (error.name !== "AbortError") this.picture.clearMap();
      this.fail(error);
      return false;
    }
  }

  /** Run the race as a job, and draw it. What the browser computes is drawn after the job is posted. */
  async run(signal) {
    const spec = specOf(this.state);
    if (!spec) {
      this.clear();
      this.figures.replaceChildren(empty("No optimizer is on", h("p", {}, "Switch one on with the dot beside its name.")));
      return this.standing.current();
    }
    const show = (histories) => this.showRace(spec, histories);
    const running = this.job.run(spec, signal, (news) => this.waiting.show(news), show);
    this.showPreview(this.state);
    try {
      const { job } = await running;
      calm(this.root);
      if (job.error) throw Object.assign(new Error(job.error.detail ?? job.error.reason), { title: "The job failed" });
      this.problems.replaceChildren();
      await insistent((within) => tellFigures(this, job, spec, within), signal);
      this.standing.current();
    } catch (error) {
      this.fail(error);
    }
  }

  showRace(spec, histories) {
    this.racers = racersOf(spec, histories.byLabel());
    this.draw();
    timed(this.root, "raced");
  }

  /** Draw what the browser computes of a state; gives whether it can. */
  showPreview(state) {
    const racers = this.preview.racers(state);
    if (!racers) return false;
    this.racers = racers;
    this.picture.drawPaths(racers);
    once("shown");
    this.picture.showStart(state.start);
    this.clock.range(this.lastStep(), { settles: false });
    return true;
  }

  lastStep() {
    return Math.max(0, ...this.racers.flatMap(({ runs }) => runs.map(({ epoch }) => epoch.at(-1))));
  }

  draw() {
    this.picture.drawPaths(this.racers);
    this.picture.showStart();
    this.clock.range(this.lastStep());
    // The paths are seen one frame before the curves, which take Plotly longer than everything else.
    requestAnimationFrame(() => setTimeout(() => this.drawChart()));
    this.drawSpace();
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
  settle(step) {
    writeState({ ...this.state, step: step === this.state.steps ? null : step });
    this.picture.path.arrows(arrowsAt(this.racers, step, this.preview.surface(this.state)));
  }

  /** Show another part of the plane; null is all of it. */
  zoom(frame) {
    if (this.picture.map?.dimension !== 2) return;
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

  /** Remove what belongs to other settings. */
  clear() {
    this.racers = [];
    this.picture.clearPaths();
    this.clock.range(0, { settles: false });
    this.chart.clear();
    this.figures.replaceChildren();
    this.problems.replaceChildren();
  }

  /** Show an error beside the control that caused it, or where the result would be; nothing old stays. */
  fail(error) {
    if (error.name === "AbortError" || this.signal.aborted) return;
    this.runs.stop();
    this.standing.failed();
    const rest = complain(this.root, error);
    if (rest.length || !error.errors?.length)
      this.problems.replaceChildren(failure({ title: error.title, message: error.message, errors: rest }));
  }
}

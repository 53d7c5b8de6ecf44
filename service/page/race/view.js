// The front door: optimizers race on a surface, in real jobs, on one clock.
import { onAppearance } from "../appearance.js";
import { get, getOnce, post, send } from "../api.js";
import { h, lessMotion } from "../dom.js";
import { follow } from "../events.js";
import { number } from "../format.js";
import { Histories, band } from "../histories.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { onResize } from "../plot/plotly.js";
import { calm, complain, failure } from "../states.js";
import { clock } from "./clock.js";
import { controls } from "./controls.js";
import { drawGround, firstFrame, survey } from "./ground.js";
import { keys } from "./keys.js";
import { pathCanvas } from "./paths.js";
import { readouts, theoryOf } from "./readouts.js";
import { space } from "./space.js";
import { problemOf, readState, specOf, writeState } from "./state.js";

/** Show the race; ends when the signal aborts. */
export async function show(root, { signal }) {
  const surfaces = (await getOnce("/v1/problems")).items.find(({ kind }) => kind === "surface").surfaces;
  let state = readState();
  const surfaceOf = () => surfaces.find(({ name }) => name === state.surface) ?? null;
  state.start ??= surfaceOf()?.start ?? [5, 2];
  let map = null;
  let race = [];
  let job = null;
  let asked = null;

  const ground = h("div", { class: "ground" });
  const canvas = h("canvas", { class: "paths", tabindex: 0, role: "img" });
  const solid = h("div", { class: "solid", hidden: true });
  const picture = h("div", { class: "picture" }, ground, canvas, solid);
  const problems = h("div", { class: "problems" });
  const lossFigure = h("div", { class: "loss" });
  const figures = h("section", { class: "readouts", "aria-label": "Result", "aria-live": "polite" });
  const path = pathCanvas(canvas);
  const scene = space(solid, signal);
  const chart = curves(lossFigure, signal);
  const time = clock({ signal, show: showStep, settle: settled });
  const panel = await controls({ state, surfaces, change, signal });
  root.append(
    h("h1", { class: "sr-only" }, "Race"),
    h("div", { class: "stage" }, h("div", { class: "left" }, picture, time.element), h("aside", { class: "right", "aria-label": "Settings" }, panel.element)),
    problems,
    h("div", { class: "below" }, figures, h("figure", { "aria-label": "Loss against step" }, lossFigure)),
  );
  path.resize();
  path.recolour();

  /** Take a change of the settings: the ground is drawn again where it is another one, the race always is run again. */
  async function change(part, { runs = true, redraws = false } = {}) {
    state = { ...state, ...part };
    if (redraws) state.frame = part.frame ?? null;
    writeState(state);
    canvas.setAttribute("aria-label", describe(state));
    solid.hidden = state.view !== "3d" || map?.dimension === 1;
    if (runs) asked?.abort();
    await Promise.all([redraws ? drawMap() : null, runs ? run() : null, runs ? limits() : null]);
    if (redraws || part.view) drawSpace();
  }

  async function drawMap() {
    const frame = state.frame ?? firstFrame(surfaceOf(), state.start);
    try {
      map = await survey(problemOf(state), frame, signal);
      const ends = await drawGround(ground, map, frame);
      path.frame(ends);
      path.fixed({ start: onPicture(state.start, startLoss()), minima: map.minima.map(({ position, value }) => onPicture(position, value)) });
      root.dataset.ground = String(Number(root.dataset.ground ?? 0) + 1);
    } catch (error) {
      tell(error);
    }
  }

  // In one dimension the loss is the second coordinate of the picture.
  const onPicture = (point, loss) => (point.length === 1 ? [point[0], loss] : point);
  const startLoss = () => race[0]?.firstLoss ?? 0;

  /** Run the race as a job; its rows are drawn as they come. */
  async function run() {
    const mine = (asked = new AbortController());
    signal.addEventListener("abort", () => mine.abort());
    const spec = specOf(state);
    if (!spec) return;
    const before = job;
    try {
      const posted = await post("/v1/jobs", spec, { signal: mine.signal });
      const histories = new Histories();
      const ended = await follow(posted.id, {
        fields: ["loss", "position"], signal: mine.signal, metrics: (runs) => histories.add(runs), restart: () => histories.clear(),
      });
      calm(root);
      problems.replaceChildren(ended.error ? failure({ title: "The job failed", message: ended.error.detail }) : "");
      job = ended;
      if (before) send("DELETE", `/v1/jobs/${before.id}`).catch(() => {});
      gather(histories, spec);
      draw();
      root.dataset.raced = String(Number(root.dataset.raced ?? 0) + 1);
      const theory = await theoryOf(problemOf(state), race, mine.signal);
      await readouts(figures, job, race, theory, mine.signal);
    } catch (error) {
      tell(error);
    }
  }

  function gather(histories, spec) {
    const styles = lineStyles(spec.optimizers.map(({ kind }) => kind));
    const groups = histories.byLabel();
    race = spec.optimizers.map((one, at) => {
      const runs = groups.get(one.label) ?? [];
      return { ...one, style: styles[at], runs, firstLoss: runs[0]?.loss[0], band: band(runs, "loss") };
    });
    race.spec = spec;
  }

  function draw() {
    path.paths(race.flatMap((one) => pathsOf(one)));
    path.fixed({ start: onPicture(state.start, startLoss()) });
    time.range(Math.max(...race.flatMap(({ runs }) => runs.map(({ epoch }) => epoch.at(-1)))));
    chart.draw({ series: () => restyled().map(({ label, style, band: of }) => ({ label, style, ...of })), xTitle: "step", yTitle: "loss" });
    if (state.view === "3d") drawSpace();
  }

  const restyled = () => race.map((one, at) => ({ ...one, style: lineStyles(race.map(({ kind }) => kind))[at] }));

  /** A run is its path; of many seeds the median path is drawn over a light cloud. */
  function pathsOf({ runs, label, style, band: of }) {
    const all = runs.map((one) => ({ style, points: one.position.map((point, at) => onPicture(point, one.loss[at])), losses: one.loss, faint: runs.length > 1 }));
    const ends = runs.map((one) => (isEnded(one) ? one.epoch.at(-1) : null)).filter((end) => end !== null);
    const diverged = ends.length > runs.length / 2 ? Math.min(...ends) : null;
    if (all.length === 1) return [{ ...all[0], label, diverged }];
    const points = of.x.map((_, step) => [0, 1].map((side) => middle(all.map(({ points: one }) => one[step]?.[side]))));
    return [...all, { style, label, diverged, points, losses: of.y, faint: false }];
  }

  const isEnded = ({ epoch, loss }) => epoch.at(-1) < state.steps || !Number.isFinite(loss.at(-1));
  const middle = (values) => values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b).at(values.length >> 1);

  function drawSpace() {
    solid.hidden = state.view !== "3d" || map?.dimension !== 2;
    if (!solid.hidden && map && race.length) scene.draw(map, race.flatMap((one) => pathsOf(one)), time.at);
  }

  function showStep(step) {
    path.show(step);
    chart.rule(step);
    if (!solid.hidden) scene.show(step);
  }

  /** Where the clock rests, arrows show the gradient (thin) and what the step really was (bold). */
  async function settled(step) {
    if (state.step !== step && step !== state.steps) writeState({ ...state, step });
    const at = race.filter(({ runs }) => runs.length === 1 && runs[0].position[step + 1]?.length === 2 && runs[0].position[step + 1].every(Number.isFinite));
    if (!at.length) return path.arrows([]);
    const points = at.map(({ runs }) => runs[0].position[step]);
    const { gradients } = await post("/v1/landscape", { problem: { ...problemOf(state), noise: 0 }, points }, { signal }).catch(() => ({ gradients: [] }));
    if (time.at !== step || !gradients.length) return;
    path.arrows(at.flatMap(({ runs, style, lr }, index) => {
      const from = points[index];
      const downhill = gradients[index].map((value, side) => from[side] - lr * number(value));
      return [{ from, to: downhill, style }, { from, to: runs[0].position[step + 1], style, bold: true }];
    }));
  }

  async function limits() {
    const theory = await theoryOf(problemOf(state), state.optimizers, asked.signal).catch(() => []);
    theory.forEach((one, at) => {
      const limit = one ? number(one.setting.lr_limit) : null;
      panel.optimizers.limit(at, limit, limit === null ? "" : `stable below ${limit.toPrecision(4)}`);
    });
  }

  function tell(error) {
    if (error.name === "AbortError" || signal.aborted) return;
    const rest = complain(root, error);
    problems.replaceChildren(rest.length || !error.errors?.length ? failure({ ...error, message: error.message, errors: rest }) : "");
  }

  // The start: click, drag, or the arrow keys while the picture has the focus.
  const placed = (event) => {
    const box = canvas.getBoundingClientRect();
    const [x, y] = path.at(event.clientX - box.left, event.clientY - box.top).map((value) => Number(value.toPrecision(4)));
    return state.start.length === 1 ? [x] : [x, y];
  };
  let dragged = false;
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    dragged = true;
    canvas.setPointerCapture(event.pointerId);
    path.fixed({ start: onPicture(placed(event), startLoss()) });
  });
  canvas.addEventListener("pointermove", (event) => dragged && path.fixed({ start: onPicture(placed(event), startLoss()) }));
  canvas.addEventListener("pointerup", (event) => {
    if (!dragged) return;
    dragged = false;
    panel.start(placed(event));
  });
  let turned = null;
  canvas.addEventListener("wheel", (event) => {
    if (!map || map.dimension !== 2) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const [x, y] = path.at(event.clientX - box.left, event.clientY - box.top);
    const factor = event.deltaY > 0 ? 1.2 : 1 / 1.2;
    const now = state.frame ?? firstFrame(surfaceOf(), state.start);
    state.frame = now.map((end, at) => (at < 2 ? x : y) + (end - (at < 2 ? x : y)) * factor);
    path.frame(state.frame);
    clearTimeout(turned);
    turned = setTimeout(() => change({ frame: state.frame }, { runs: false, redraws: true }), 120);
  }, { passive: false });

  keys({ canvas, time, panel, repeat: () => change({}), start: () => state.start, frame: () => state.frame ?? firstFrame(surfaceOf(), state.start), signal });
  onResize(picture, () => {
    path.resize();
    if (map) drawGround(ground, map, state.frame ?? firstFrame(surfaceOf(), state.start)).then((ends) => path.frame(ends));
    drawSpace();
  }, signal);
  onAppearance(() => {
    path.recolour();
    const styles = lineStyles(race.map(({ kind }) => kind));
    race.forEach((one, at) => { one.style = styles[at]; });
    path.paths(race.flatMap((one) => pathsOf(one)));
    panel.optimizers.set(state.optimizers);
    if (map) drawGround(ground, map, state.frame ?? firstFrame(surfaceOf(), state.start));
    drawSpace();
  }, signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(ground));

  const stepped = state.step;
  await change({}, { redraws: !state.frame, runs: true });
  if (state.frame) await drawMap();
  if (stepped !== null) time.go(stepped);
  else if (!lessMotion() && race.length && !new URLSearchParams(location.search).size) time.play();
}

function describe({ surface, formula, optimizers, start }) {
  const names = optimizers.filter(({ off }) => !off).map(({ kind, label }) => label ?? kind);
  return `Paths of ${names.join(", ")} on ${surface ?? formula} from (${start.join(", ")}). Arrow keys move the start; the figures are in the table below.`;
}

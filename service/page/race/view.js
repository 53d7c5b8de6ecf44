// The front door: optimizers race on a surface, in real jobs, on one clock.
import { onAppearance } from "../appearance.js";
import { getOnce, post, send } from "../api.js";
import { h, lessMotion } from "../dom.js";
import { follow } from "../events.js";
import { number } from "../format.js";
import { Histories } from "../histories.js";
import { curves } from "../plot/curves.js";
import { onResize } from "../plot/plotly.js";
import { calm, complain, failure } from "../states.js";
import { arrowsAt } from "./arrows.js";
import { clock } from "./clock.js";
import { controls } from "./controls.js";
import { drawGround, firstFrame, survey } from "./ground.js";
import { keys } from "./keys.js";
import { pathCanvas } from "./paths.js";
import { pointing } from "./pointing.js";
import { onPicture, pathsOf, racersOf, restyled } from "./racers.js";
import { readouts, theoryOf } from "./readouts.js";
import { space } from "./space.js";
import { problemOf, readState, specOf, writeState } from "./state.js";

/** Show the race; ends when the signal aborts. */
export async function show(root, { signal }) {
  const [problemKinds] = await Promise.all([getOnce("/v1/problems"), getOnce("/v1/optimizers")]);
  const surfaces = problemKinds.items.find(({ kind }) => kind === "surface").surfaces;
  let state = readState();
  const surfaceOf = () => surfaces.find(({ name }) => name === state.surface) ?? null;
  state.start ??= surfaceOf()?.start ?? [5, 2];
  let map = null;
  let race = [];
  let job = null;
  let asked = null;
  // Each race takes the job of the one before away, unless somebody has gone to its page.
  let isKept = false;

  const ground = h("div", { class: "ground" });
  const canvas = h("canvas", { class: "paths", tabindex: 0, role: "img" });
  const solid = h("div", { class: "solid", hidden: true });
  const picture = h("div", { class: "picture" }, ground, canvas, solid);
  const problems = h("div", { class: "problems" });
  const lossFigure = h("div", { class: "loss" });
  const figures = h(
    "section",
    { class: "readouts", "aria-label": "Result", "aria-live": "polite" },
    h("div", { class: "skeleton", style: { height: "160px" } }),
  );
  const path = pathCanvas(canvas);
  const scene = space(solid, signal);
  const chart = curves(lossFigure, signal);
  const time = clock({ signal, show: showStep, settle: settled });
  const panel = await controls({ state, surfaces, change, signal });
  root.append(
    h("h1", { class: "sr-only" }, "Race"),
    h(
      "div",
      { class: "stage" },
      h("div", { class: "left" }, picture, time.element),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
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
    // A formula may be wrong: one complaint is enough.
    if (redraws && state.surface === null && !(await drawMap())) return;
    await Promise.all([redraws && state.surface !== null ? drawMap() : null, runs ? run() : null]);
    if (redraws || part.view) drawSpace();
  }

  async function drawMap() {
    const frame = shownFrame();
    // The paths may be there before the map is, and a click too. In one dimension the heights are not known yet.
    path.frame(frame.length === 4 ? frame : [...frame, 0, 1]);
    try {
      map = await survey(problemOf(state), frame, signal);
      const ends = await drawGround(ground, map, frame);
      path.frame(ends);
      path.fixed({
        start: onPicture(state.start, heightAt(state.start)),
        minima: map.minima.map(({ position, value }) => onPicture(position, value)),
      });
      root.dataset.ground = String(Number(root.dataset.ground ?? 0) + 1);
      return true;
    } catch (error) {
      tell(error);
      return false;
    }
  }

  /** Read the height of a place off the map, for the picture of one dimension. */
  function heightAt([x]) {
    if (map?.dimension !== 1) return 0;
    const at = Math.round(((x - map.x[0]) / (map.x.at(-1) - map.x[0])) * (map.x.length - 1));
    return Number(map.loss[Math.min(map.x.length - 1, Math.max(0, at))]);
  }

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
        fields: ["loss", "position"],
        signal: mine.signal,
        metrics: (runs) => histories.add(runs),
        restart: () => histories.clear(),
      });
      calm(root);
      problems.replaceChildren(ended.error ? failure({ title: "The job failed", message: ended.error.detail }) : "");
      job = ended;
      if (before && !isKept) send("DELETE", `/v1/jobs/${before.id}`).catch(() => {});
      isKept = false;
      race = racersOf(spec, histories);
      draw();
      root.dataset.raced = String(Number(root.dataset.raced ?? 0) + 1);
      performance.mark("raced");
      figures.classList.add("stale");
      // Theory is asked when the path is drawn: nothing is to stand in the way of that.
      const theory = await limits(mine.signal);
      await readouts(figures, { job, spec, race, theory, keep: () => (isKept = true) }, mine.signal);
      figures.classList.remove("stale");
    } catch (error) {
      tell(error);
    }
  }

  function draw() {
    path.paths(race.flatMap(pathsOf));
    path.fixed({ start: onPicture(state.start, heightAt(state.start)) });
    time.range(Math.max(...race.flatMap(({ runs }) => runs.map(({ epoch }) => epoch.at(-1)))));
    // The paths are seen one frame before the curves, which take Plotly longer than all of the rest.
    requestAnimationFrame(() => setTimeout(drawChart));
    if (state.view === "3d") drawSpace();
  }

  function drawChart() {
    if (signal.aborted) return;
    chart.draw({
      series: () => restyled(race).map(({ label, style, band: of }) => ({ label, style, ...of })),
      xTitle: "step",
      yTitle: "loss",
    });
  }

  function drawSpace() {
    solid.hidden = state.view !== "3d" || map?.dimension !== 2;
    if (!solid.hidden && map && race.length) scene.draw(map, race.flatMap(pathsOf), time.at);
  }

  function showStep(step) {
    path.show(step);
    chart.rule(step);
    if (!solid.hidden) scene.show(step);
  }

  /** Where the clock rests there is time for arrows, and a step worth a link. */
  async function settled(step) {
    if (step !== state.steps) writeState({ ...state, step });
    const arrows = await arrowsAt(race, step, problemOf(state), signal);
    if (time.at === step) path.arrows(arrows);
  }

  /** Mark the limits of stability on the sliders; gives what theory says of those that race. */
  async function limits(signal) {
    const theory = await theoryOf(problemOf(state), state.optimizers, signal);
    theory.forEach((one, at) => {
      const limit = one ? number(one.setting.lr_limit) : null;
      panel.optimizers.limit(at, limit, limit === null ? "" : `stable below ${limit.toPrecision(4)}`);
    });
    return theory.filter((_, at) => !state.optimizers[at].off);
  }

  function tell(error) {
    if (error.name === "AbortError" || signal.aborted) return;
    const rest = complain(root, error);
    problems.replaceChildren(
      rest.length || !error.errors?.length ? failure({ ...error, message: error.message, errors: rest }) : "",
    );
  }

  const shownFrame = () => state.frame ?? firstFrame(surfaceOf(), state.start);
  const cropped = (point) => point.slice(0, state.start.length);
  let turned = null;
  function zoom(frame) {
    if (map?.dimension !== 2) return;
    state.frame = frame;
    path.frame(frame ?? shownFrame());
    clearTimeout(turned);
    turned = setTimeout(() => change({ frame }, { runs: false, redraws: true }), 120);
  }
  pointing(canvas, {
    place: path.at,
    frame: shownFrame,
    drag: (point) => path.fixed({ start: onPicture(cropped(point), heightAt(point)) }),
    drop: (point) => panel.start(cropped(point)),
    zoom,
  });
  keys({
    canvas,
    time,
    panel,
    repeat: () => change({}),
    start: () => state.start,
    frame: shownFrame,
    zoom,
    signal,
  });
  onResize(
    picture,
    () => {
      path.resize();
      if (map) drawGround(ground, map, shownFrame()).then((ends) => path.frame(ends));
      drawSpace();
    },
    signal,
  );
  onAppearance(() => {
    path.recolour();
    race = restyled(race);
    path.paths(race.flatMap(pathsOf));
    panel.optimizers.set(state.optimizers);
    if (map) drawGround(ground, map, shownFrame());
    drawSpace();
  }, signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(ground));

  const stepped = state.step;
  state.step = null;
  await change({ frame: state.frame }, { redraws: true });
  if (stepped !== null) time.go(stepped);
  else if (!lessMotion() && race.length && !new URLSearchParams(location.search).size) time.play();
}

function describe({ surface, formula, optimizers, start }) {
  const names = optimizers.filter(({ off }) => !off).map(({ kind, label }) => label ?? kind);
  return `Paths of ${names.join(", ")} on ${surface ?? formula} from (${start.join(", ")}). Arrow keys move the start; the figures are in the table below.`;
}

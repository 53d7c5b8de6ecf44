// The state of a race in the address, and its job.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";
import { labelled } from "../labels.js";

// Jobs of races are deleted soon; a link runs the same race again.
const KEEP_SECONDS = 3600;
const FIRST = {
  surface: "ravine",
  formula: "",
  parameters: {},
  start: null,
  noise: 0,
  batch: 1,
  steps: 100,
  seeds: 1,
  view: "2d",
  height: "true",
  frame: null,
  step: null,
  optimizers: [
    { kind: "sgd", lr: 0.015 },
    { kind: "momentum", lr: 0.015, momentum: 0.9 },
  ],
};

/** Read the state of a race from the address. */
export function readState() {
  const query = readAddress();
  const numbers = (name) => query.get(name)?.split(",").map(Number) ?? FIRST[name];
  const one = (name) => (query.has(name) && Number.isFinite(Number(query.get(name))) ? Number(query.get(name)) : FIRST[name]);
  const start = numbers("start");
  return {
    surface: query.has("f") ? null : (query.get("surface") ?? FIRST.surface),
    formula: query.get("f") ?? FIRST.formula,
    parameters: query.has("f") ? readLetters(query.get("k")) : {},
    start: start?.every(Number.isFinite) ? start : null,
    noise: one("noise"),
    batch: one("batch"),
    steps: one("steps"),
    seeds: one("seeds"),
    view: query.get("view") === "3d" ? "3d" : "2d",
    height: query.get("height") === "log" ? "log" : FIRST.height,
    frame: numbers("frame"),
    step: query.has("step") ? one("step") : null,
    optimizers: query.has("o") ? query.getAll("o").map(readOptimizer) : FIRST.optimizers,
  };
}

/** Read the letters of a formula: "a:2,b:0.5". */
function readLetters(text) {
  const pairs = (text ?? "").split(",").map((one) => one.split(":"));
  const known = pairs.filter(([name, value]) => name.length === 1 && value && Number.isFinite(Number(value)));
  return Object.fromEntries(known.map(([name, value]) => [name, Number(value)]));
}

/** Whether the address has no settings of its own, and whether it leaves the rates on a surface to the page. */
export function leftOut() {
  const query = readAddress();
  query.delete("hide");
  return { isBare: !query.size, hasNoRates: query.has("surface") && !query.has("o") };
}

/** Write the state of a race to the address; what is as at first is left out. */
export function writeState(state) {
  const changed = (name) => (state[name] === FIRST[name] ? null : state[name]);
  writeAddress({
    surface: state.surface === null ? null : changed("surface"),
    f: state.surface === null ? state.formula : null,
    k: state.surface === null ? Object.entries(state.parameters).map((one) => one.join(":")).join(",") : null,
    start: state.start?.map((value) => Number(value.toPrecision(4))).join(","),
    o: state.optimizers.map(writeOptimizer),
    noise: changed("noise"),
    batch: changed("batch"),
    steps: changed("steps"),
    seeds: changed("seeds"),
    view: changed("view"),
    height: state.view === "3d" ? changed("height") : null,
    frame: state.frame?.map((value) => Number(value.toPrecision(4))).join(","),
    step: state.step,
  });
}

/**
 * Give the problem that the race is on.
 *
 * @returns {{kind: string, name?: string, expression?: string, parameters?: Record<string, number>, start: number[], noise: number}}
 */
export function problemOf({ surface, formula, parameters, start, noise }) {
  if (surface !== null) return { kind: "surface", name: surface, start, noise };
  const letters = Object.keys(parameters).length ? { parameters } : {};
  return { kind: "surface", expression: formula, ...letters, start, noise };
}

/** Give the spec of the job, or null where no optimizer is to run; labels are unique. */
export function specOf(state) {
  const running = state.optimizers.filter(({ off }) => !off);
  if (!running.length) return null;
  return {
    name: `Race on ${state.surface ?? state.formula}`.slice(0, 100),
    problem: problemOf(state),
    optimizers: labelled(running).map(({ off, ...one }) => one),
    seeds: { first: 0, count: state.seeds },
    epochs: state.steps,
    batch_size: state.batch,
    ttl_seconds: KEEP_SECONDS,
  };
}

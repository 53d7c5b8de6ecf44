// The state of the view Sweep in its address, and its job.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";
import { hyperParameterName, plainLabel } from "../labels.js";
import { axisOf, gridOf, readAxis, valuesOf, writeAxis } from "./axis.js";
import { FIRST_VALUE, VALUES } from "./values.js";

// Rows that a heat map may keep: what is read of them takes a second at most.
const MOST_ROWS = 400_000;
const START_AXES = {
  sx: { name: "x", from: -5, to: 5, num: 40, scale: "linear" },
  sy: { name: "y", from: -5, to: 5, num: 40, scale: "linear" },
};
const FIRST = {
  over: "settings",
  problem: { kind: "surface", name: "ravine" },
  optimizer: { kind: "momentum" },
  epochs: 200,
  seeds: 1,
  batch: null,
  also: {},
  x: { name: "lr", from: 0.005, to: 0.5, num: 25, scale: "log" },
  y: { name: "momentum", from: 0, to: 0.96, num: 25, scale: "linear" },
  ...START_AXES,
  value: FIRST_VALUE,
  target: null,
  cell: null,
  job: null,
};
export const firstState = (part = {}) => ({ ...FIRST, ...part });
/** How long and from how many seeds a kind of problem is swept at first, and over which rates. */
export const lengthOf = (kind) =>
  ({
    flipnet: { epochs: 30, seeds: 10, x: { name: "lr", from: 0.001, to: 1, num: 20, scale: "log" } },
    digits: {
      epochs: 5,
      seeds: 2,
      x: { name: "lr", from: 0.001, to: 3, num: 10, scale: "log" },
      y: { ...FIRST.y, num: 6 },
    },
    playground: {
      epochs: 30,
      seeds: 3,
      x: { name: "lr", from: 0.001, to: 3, num: 12, scale: "log" },
      y: { ...FIRST.y, num: 8 },
    },
    quadratic: { epochs: 200, seeds: 1, x: { name: "lr", from: 0.0005, to: 0.08, num: 25, scale: "log" } },
  })[kind] ?? { epochs: FIRST.epochs, seeds: 1, x: FIRST.x };

/**
 * Read the state from the address.
 *
 * @returns {any}
 */
export function readState(catalogue) {
  const query = readAddress();
  const whole = (name) => (Number(query.get(name)) >= 1 ? Math.round(Number(query.get(name))) : FIRST[name]);
  const problem = query.has("p") ? readOptimizer(query.get("p")) : FIRST.problem;
  const cell = query.get("cell")?.split(",").map(Number);
  let also = {};
  try {
    also = JSON.parse(query.get("also")) ?? {};
  } catch {
    // An incomplete link is read as far as possible.
  }
  return {
    over: query.get("over") === "starts" ? "starts" : "settings",
    problem: catalogue.problem(problem.kind) ? problem : FIRST.problem,
    optimizer: query.has("o") ? readOptimizer(query.get("o")) : FIRST.optimizer,
    epochs: whole("epochs"),
    seeds: whole("seeds"),
    batch: query.get("batch") === "full" ? "full" : Number(query.get("batch")) || null,
    also,
    ...Object.fromEntries(["x", "y", "sx", "sy"].map((name) => [name, readAxis(query.get(name), FIRST[name])])),
    value: Object.hasOwn(VALUES, query.get("value")) ? query.get("value") : FIRST_VALUE,
    target: query.has("target") && Number.isFinite(Number(query.get("target"))) ? Number(query.get("target")) : null,
    cell: cell?.length === 2 && cell.every(Number.isInteger) ? cell : null,
    job: query.get("job"),
    isBare: !query.has("p"),
  };
}

/** Write the state to the address. */
export function writeState(
  { over, problem, optimizer, epochs, seeds, batch, also, x, y, sx, sy, value, target, cell, job },
  how,
) {
  const axes = over === "starts" ? { sx: writeAxis(sx), sy: writeAxis(sy) } : { x: writeAxis(x), y: writeAxis(y) };
  writeAddress(
    {
      over: over === "starts" ? over : null,
      p: writeOptimizer(problem),
      o: writeOptimizer(optimizer),
      ...axes,
      epochs,
      seeds,
      batch,
      also: Object.keys(also).length ? JSON.stringify(also) : null,
      value: value === FIRST_VALUE ? null : value,
      target,
      cell: cell?.join(",") ?? null,
      job,
    },
    how,
  );
}

/** Give the spec of the job. */
export function specOf({ over, problem, optimizer, x, y, sx, sy, epochs, seeds, batch, also }, catalogue) {
  const common = {
    epochs,
    seeds: { first: 0, count: seeds },
    ...(batch === null || catalogue.isLandscape(problem) ? {} : { batch_size: batch }),
  };
  const where = problem.name ?? problem.expression ?? problem.model ?? problem.dataset ?? problem.kind;
  if (over === "starts") {
    const { start, ...rest } = problem;
    const range = ({ from, to, num, scale }) => ({ from, to, num, scale });
    // Only the first and the last row of a run are needed.
    return {
      name: `Where ${plainLabel(optimizer.kind)} ends on ${where}`.slice(0, 100),
      problem: { ...rest, starts: { x: range(sx), y: range(sy) } },
      optimizers: [optimizer],
      ...common,
      record_every: epochs,
      ...also,
    };
  }
  const runs = valuesOf(x).length * valuesOf(y).length * seeds;
  const every = Math.min(epochs, Math.max(1, Math.ceil((runs * epochs) / MOST_ROWS)));
  return {
    name: `${plainLabel(optimizer.kind)} on ${where} over ${hyperParameterName(x.name)} and ${hyperParameterName(y.name)}`.slice(0, 100),
    problem,
    optimizers: [{ ...optimizer, [x.name]: gridOf(x), [y.name]: gridOf(y) }],
    ...common,
    record_every: every,
    ...also,
  };
}

/** Read a spec, of a preset or of a job, into a state; null where it has neither a grid of two nor one of starts. */
export function stateOf(spec, catalogue) {
  const {
    name,
    problem: { starts, ...problem },
    optimizers,
    seeds,
    epochs,
    batch_size: batch = null,
    record_every: _,
    ...also
  } = spec;
  const common = { ...FIRST, problem, epochs, batch, seeds: seeds?.count ?? seeds?.length ?? 1, also };
  if (!catalogue.problem(problem.kind)) return null;
  const clean = ({ label, ...one }) => one;
  if (starts?.x && starts.y)
    return {
      ...common,
      over: "starts",
      optimizer: clean(optimizers.at(-1)),
      sx: axisOf("x", starts.x),
      sy: axisOf("y", starts.y),
    };
  for (const one of optimizers) {
    const axes = Object.entries(one).filter(([, value]) => (Array.isArray(value) ? value.length : value?.num) > 1);
    if (axes.length !== 2) continue;
    const [x, y] = axes
      .sort(([first], [second]) => Number(second === "lr") - Number(first === "lr"))
      .map(([axis, grid]) => axisOf(axis, grid));
    const rest = Object.fromEntries(Object.entries(clean(one)).filter(([axis]) => axis !== x.name && axis !== y.name));
    return { ...common, problem: spec.problem, optimizer: rest, x, y };
  }
  return null;
}

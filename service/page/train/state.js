// The state of the view Train in its address, and its job.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";
import { USUAL_RATE } from "../catalogue.js";
import { expanded } from "../grids.js";
import { labelled, nameOf } from "../labels.js";

// Initial numbers of epochs and seeds by kind of problem.
const FIRST_KIND = "flipnet";
const FIRST_LENGTHS = {
  flipnet: { epochs: 60, seeds: 20 },
  digits: { epochs: 15, seeds: 5 },
};
const OTHER_LENGTH = { epochs: 60, seeds: 5 };
// Most rows of a run in a figure.
const MOST_POINTS = 400;
const MOST_OPTIMIZERS = 8;

/** Give the state that a kind of problem begins with. */
export function firstState(catalogue, kind = FIRST_KIND) {
  const rates = catalogue.rates(kind);
  const optimizers = [
    { kind: "sgd", lr: rates.sgd ?? USUAL_RATE },
    { kind: "momentum", lr: rates.momentum ?? USUAL_RATE, momentum: 0.9 },
    { kind: "adam", lr: rates.adam ?? USUAL_RATE },
  ];
  const length = FIRST_LENGTHS[kind] ?? OTHER_LENGTH;
  return { problem: { kind }, optimizers, ...length, batch: null, also: {}, x: "linear", y: "log", job: null };
}

/** Read the state from the address; `isBare` where it names nothing but a job, or nothing at all. */
export function readState(catalogue) {
  const query = readAddress();
  const named = query.has("p") ? readOptimizer(query.get("p")) : null;
  const problem = named && catalogue.isNetwork(named) ? named : { kind: FIRST_KIND };
  const first = firstState(catalogue, problem.kind);
  const whole = (name) => (Number(query.get(name)) >= 1 ? Math.round(Number(query.get(name))) : first[name]);
  const batch = query.get("batch");
  return {
    ...first,
    problem,
    optimizers: query.has("o") ? query.getAll("o").map(readOptimizer) : first.optimizers,
    epochs: whole("epochs"),
    seeds: whole("seeds"),
    batch: batch === "full" ? batch : Number(batch) || null,
    also: parsed(query.get("also")),
    x: query.get("x") === "log" ? "log" : "linear",
    y: query.get("y") === "linear" ? "linear" : "log",
    job: query.get("job"),
    isBare: !query.has("p"),
  };
}

function parsed(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

/** Write the state to the address. */
export function writeState({ problem, optimizers, epochs, seeds, batch, also, x, y, job }, how) {
  writeAddress(
    {
      p: writeOptimizer(problem),
      o: optimizers.map(writeOptimizer),
      epochs,
      seeds,
      batch,
      also: Object.keys(also).length ? JSON.stringify(also) : null,
      x: x === "log" ? x : null,
      y: y === "linear" ? y : null,
      job,
    },
    how,
  );
}

/** Give the spec of the job, or null where no optimizer is to run. */
export function specOf({ problem, optimizers, epochs, seeds, batch, also }) {
  const running = optimizers.filter(({ off }) => !off);
  if (!running.length) return null;
  return {
    name: `${[problem.kind, problem.model ?? problem.dataset].filter(Boolean).join(" ")}: ${labelled(running)
      .map(nameOf)
      .join(", ")}`.slice(0, 100),
    problem,
    optimizers: labelled(running).map(({ off, ...one }) => one),
    seeds: { first: 0, count: seeds },
    epochs,
    ...(batch === null ? {} : { batch_size: batch }),
    record_every: Math.ceil(epochs / MOST_POINTS),
    ...also,
  };
}

/** Read a spec, of a preset or of a job, into a state; null where it has more optimizers than fit, or none of these problems. */
export function stateOf(spec, catalogue) {
  if (!catalogue.isNetwork(spec.problem)) return null;
  const optimizers = spec.optimizers.flatMap(expanded);
  if (optimizers.length > MOST_OPTIMIZERS) return null;
  const { name, problem, optimizers: _, seeds, epochs, batch_size: batch = null, ...rest } = spec;
  // Values equal to the defaults are omitted.
  const also = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length)),
  );
  if (typeof seeds === "object" && (seeds.first || Array.isArray(seeds))) also.seeds = seeds;
  return {
    ...firstState(catalogue, problem.kind),
    problem,
    optimizers,
    epochs,
    seeds: seeds?.count ?? seeds?.length ?? 1,
    batch,
    also,
  };
}

// What is trained: the state of the view in its address, and the job that it stands for.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";
import { labelled } from "../race/state.js";

export const KINDS = ["flipnet", "digits", "playground"];
// Of nine rates from 0.001 to 0.5 those with the smallest median loss of 5 seeds, after 60 epochs of FlipNet, 10 of the
// digits and 60 of the playground's circles; there at most 0.1 for methods that scale their steps: spirals want less.
export const RATES = {
  flipnet: {
    sgd: 0.05,
    momentum: 0.01,
    nesterov: 0.005,
    adam: 0.01,
    adamw: 0.01,
    nadam: 0.01,
    radam: 0.02,
    adamax: 0.02,
    rmsprop: 0.005,
    adagrad: 0.05,
    lion: 0.002,
    sign_sgd: 0.005,
  },
  digits: {
    sgd: 0.5,
    momentum: 0.2,
    nesterov: 0.2,
    adam: 0.02,
    adamw: 0.02,
    nadam: 0.02,
    radam: 0.05,
    adamax: 0.1,
    rmsprop: 0.02,
    adagrad: 0.2,
    lion: 0.002,
    sign_sgd: 0.01,
    muon: 0.02,
  },
  playground: {
    sgd: 0.5,
    momentum: 0.2,
    nesterov: 0.2,
    adam: 0.1,
    adamw: 0.1,
    nadam: 0.1,
    radam: 0.1,
    adamax: 0.1,
    rmsprop: 0.1,
    adagrad: 0.1,
    lion: 0.01,
    sign_sgd: 0.05,
    muon: 0.05,
  },
};
const COURSES = {
  flipnet: { epochs: 60, seeds: 20 },
  digits: { epochs: 15, seeds: 5 },
  playground: { epochs: 60, seeds: 5 },
};
// As many rows of a run as a figure has room for.
const MOST_POINTS = 400;
const MOST_OPTIMIZERS = 8;

/** Give what is asked first of a kind of problem. */
export function firstState(kind = "flipnet") {
  const rates = RATES[kind];
  const optimizers = [
    { kind: "sgd", lr: rates.sgd },
    { kind: "momentum", lr: rates.momentum, momentum: 0.9 },
    { kind: "adam", lr: rates.adam },
  ];
  return { problem: { kind }, optimizers, ...COURSES[kind], batch: null, also: {}, x: "linear", y: "log", job: null };
}

/** Read the state from the address; `isBare` where it names nothing but a job, or nothing at all. */
export function readState() {
  const query = readAddress();
  const problem = query.has("p") ? readOptimizer(query.get("p")) : { kind: "flipnet" };
  const first = firstState(KINDS.includes(problem.kind) ? problem.kind : "flipnet");
  const whole = (name) => (Number(query.get(name)) >= 1 ? Math.round(Number(query.get(name))) : first[name]);
  const batch = query.get("batch");
  return {
    ...first,
    problem: KINDS.includes(problem.kind) ? problem : first.problem,
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
      .map(({ label }) => label)
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
export function stateOf(spec) {
  if (!KINDS.includes(spec.problem.kind)) return null;
  const optimizers = spec.optimizers.flatMap(expanded);
  if (optimizers.length > MOST_OPTIMIZERS) return null;
  const { name, problem, optimizers: _, seeds, epochs, batch_size: batch = null, ...rest } = spec;
  // What is as it is anyway need not be said again.
  const also = Object.fromEntries(
    Object.entries(rest).filter(([, value]) => value !== null && !(Array.isArray(value) && !value.length)),
  );
  if (typeof seeds === "object" && (seeds.first || Array.isArray(seeds))) also.seeds = seeds;
  return {
    ...firstState(problem.kind),
    problem,
    optimizers,
    epochs,
    seeds: seeds?.count ?? seeds?.length ?? 1,
    batch,
    also,
  };
}

const gridsOf = (one) => Object.entries(one).filter(([, value]) => Array.isArray(value) || value?.from !== undefined);

/** Whether an entry stands for several settings. */
export const hasGrid = (one) => gridsOf(one).length > 0;

/** Give one optimizer for each setting of a grid. */
function expanded({ label, ...one }) {
  const grids = gridsOf(one);
  let list = [one];
  for (const [name, grid] of grids)
    list = list.flatMap((setting) =>
      (Array.isArray(grid) ? grid : spaced(grid)).map((value) => ({ ...setting, [name]: value })),
    );
  if (!grids.length) return [label ? { ...one, label } : one];
  return list.map((setting) => ({
    ...setting,
    label: `${label ?? one.kind} ${grids.map(([name]) => `${name} ${setting[name]}`).join(" ")}`,
  }));
}

/** Give the values of a range, as the API has them. */
export function spaced({ from, to, num, scale }) {
  const step = (at) => (num === 1 ? 0 : at / (num - 1));
  return Array.from({ length: num }, (_, at) =>
    Number((scale === "log" ? from * (to / from) ** step(at) : from + (to - from) * step(at)).toPrecision(12)),
  );
}

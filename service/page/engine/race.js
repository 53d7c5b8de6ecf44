// A race computed without the service: the histories of a spec, from the programs of the catalogue.
import { pathOf, ruleOf, surfaceOf } from "./path.js";
import { isKnown as isKnownProgram } from "./program.js";
import { isKnown as isKnownSchedule } from "./schedule.js";

// Fields of an entry that are no hyper-parameters.
const NAMES = ["kind", "label", "off"];
const COMMON = {
  schedule: "schedule",
  momentum_schedule: "momentumSchedule",
  maximize: "maximize",
  clip_norm: "clipNorm",
  clip_value: "clipValue",
};

/**
 * Give what the engine needs of an optimizer: {rule, entry}, or null where the catalogue has no program for these settings.
 *
 * `item` is the kind in the catalogue; of the kind `formula`, {program} of the entry's own update rule, or null until
 * the service has given it.
 */
export function computable(one, item) {
  const own = one.kind === "formula" ? one : item?.as_formula;
  if (!own || !item?.program || !isKnownProgram(item.program)) return null;
  const rule = { program: item.program, state: own.state ?? {}, parameters: { ...own.parameters }, momentum: own.momentum };
  const entry = { lr: one.lr, parameters: { ...own.parameters } };
  for (const [name, value] of Object.entries(one)) {
    if (name === "lr" || NAMES.includes(name) || value === null || value === undefined) continue;
    if (name in COMMON) entry[COMMON[name]] = value;
    else if (one.kind === "formula") continue;
    else if (name in rule.parameters) entry.parameters[name] = value;
    // The rule has all else at its default.
    else if (value !== item.parameters.properties[name]?.default) return null;
  }
  const numbers = [entry.lr, ...Object.values(entry.parameters)];
  const schedules = [entry.schedule, entry.momentumSchedule];
  return numbers.every((number) => typeof number === "number") && schedules.every(isKnownSchedule) ? { rule, entry } : null;
}

// Programs prepared before, by dimension: a slider that moves computes the same ones for each frame.
const ready = new WeakMap();

function kept(program, dimension, prepare) {
  if (!ready.has(program)) ready.set(program, new Map());
  const of = ready.get(program);
  if (!of.has(dimension)) of.set(dimension, prepare());
  return of.get(dimension);
}

/**
 * Compute a race: the runs of each label as `Histories` gives them, in the order of the optimizers, or null where one of
 * them is not computable.
 *
 * `program` is that of the surface, `itemOf(optimizer)` gives the entry of the catalogue.
 */
export function raced({ program, spec, itemOf, mostSeeds = Infinity }) {
  const { start, noise = 0, parameters } = spec.problem;
  if (!program || !isKnownProgram(program)) return null;
  const parts = spec.optimizers.map((one) => computable(one, itemOf(one)));
  if (parts.includes(null)) return null;
  const dimension = start.length;
  const surface = parameters
    ? surfaceOf(program, dimension, parameters)
    : kept(program, dimension, () => surfaceOf(program, dimension));
  const batch = spec.batch_size ?? 1;
  const common = { surface, start, steps: spec.epochs, noise: batch === "full" ? 0 : noise / Math.sqrt(batch) };
  const { first = 0, count = 1 } = spec.seeds ?? {};
  const seeds = Array.from({ length: Math.min(count, mostSeeds) }, (_, at) => first + at);
  return parts.map(({ rule, entry }, at) => {
    const own = kept(rule.program, dimension, () => ruleOf(rule, dimension));
    return seeds.map((seed) => ({
      id: `${at}/${seed}`,
      label: spec.optimizers[at].label,
      seed,
      ...pathOf({ ...common, rule: own, entry, seed }),
    }));
  });
}

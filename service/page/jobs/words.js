// A spec in words.
import { count, short } from "../format.js";
import { numSettings } from "../grids.js";
import { nameOf } from "../labels.js";
import { numSeeds, numStarts } from "../seeds.js";

/** Describe the problem briefly. */
function problemName(problem) {
  if (problem.kind === "surface") return problem.name ?? problem.expression;
  if (problem.eigenvalues) return `quadratic of ${count(problem.eigenvalues.length, "dimension")}`;
  if (problem.kind === "data") return [problem.dataset, problem.model?.kind].filter(Boolean).join(", ");
  const kind = problem.kind === "flipnet" ? "FlipNet" : problem.kind;
  return [kind, problem.model ?? problem.dataset].filter(Boolean).join(", ");
}

/** Describe the problem with all values that differ from the defaults. */
export function problemWords(problem) {
  const parts = [problem.kind === "surface" ? `surface ${problemName(problem)}` : problemName(problem)];
  if (problem.eigenvalues) parts.push(`curvatures ${few(problem.eigenvalues)}`);
  if (problem.kind === "data") parts.push(...dataWords(problem));
  if (problem.hidden) parts.push(count(problem.hidden, "hidden unit"));
  if (problem.widths) parts.push(`hidden units ${problem.widths.join(", ")}`, problem.activation);
  if (problem.train_size) parts.push(`${problem.train_size.toLocaleString("en")} examples`);
  if (problem.starts?.random) parts.push(`from ${count(problem.starts.random, "random start")} of each seed`);
  else if (problem.starts) parts.push(`from ${count(numStarts(problem), "start")}`);
  else if (problem.start) parts.push(`from (${few(problem.start)})`);
  if (problem.noise) parts.push(`noise ${short(problem.noise)}`);
  if (problem.label_noise) parts.push(`label noise ${short(problem.label_noise)}`);
  if (problem.augment) parts.push("augmented");
  if (problem.shift_at) parts.push(`the minimum moves after ${count(problem.shift_at, "update")}`);
  return parts.join(", ");
}

/** Describe what is predicted from which data, and how they are scaled. */
function dataWords({ target, task, scale, missing, l2, resolved }) {
  return [
    target && `predicts ${target}`,
    resolved && count(resolved.rows, resolved.features === null ? "character" : "row"),
    task,
    scale && `scaling ${scale}`,
    missing === "drop" && "without rows with missing values",
    missing === "mean" && "means for missing values",
    l2 && `l2 ${short(l2)}`,
  ].filter(Boolean);
}

/** Describe the hyper-parameters of an entry that differ from the defaults. `parameters` is the schema of its kind. */
export function optimizerWords(entry, parameters) {
  const { update = [], state, parameters: own = {}, ...rest } = entry;
  const parts = Object.entries({ ...rest, ...own }).flatMap(([name, value]) => {
    if (name === "kind" || name === "label" || value === null || value === undefined) return [];
    if (name.endsWith("schedule")) {
      const warmup = value.warmup_steps ? ` after ${count(value.warmup_steps, "step")} of warm-up` : "";
      return value.kind === "constant" && !warmup ? [] : [`${name.replaceAll("_", " ")} ${value.kind}${warmup}`];
    }
    const usual = parameters?.properties?.[name]?.default;
    if (name !== "lr" && name !== "momentum" && JSON.stringify(usual) === JSON.stringify(value)) return [];
    if (name === "momentum" && value === 0) return [];
    return [`${name === "lr" ? "rate" : name.replaceAll("_", " ")} ${valueWords(value)}`];
  });
  return [...parts, ...update].join(", ");
}

function valueWords(value) {
  if (Array.isArray(value)) return few(value);
  if (value !== null && typeof value === "object" && "num" in value) {
    return `${short(value.from)} to ${short(value.to)} (${value.num} values${value.scale === "log" ? ", log" : ""})`;
  }
  return typeof value === "number" ? short(value, 4) : String(value);
}

const few = (values) =>
  values.length > 6
    ? `${short(values[0])} … ${short(values.at(-1))} (${values.length})`
    : values.map((one) => short(one)).join(", ");

/** Describe epochs, batches and schedules. */
export function trainingWords(spec, catalogue) {
  const { epochs, batch_size: batch, accumulate, shuffle, record_every: every, dtype, measure, problem } = spec;
  const steps = catalogue.isLandscape(problem);
  const parts = [count(epochs, steps ? "update" : "epoch")];
  if (!steps) parts.push(batch === "full" ? "full batch" : `batches of ${batch}${shuffle ? ", shuffled" : ""}`);
  else if (problem.noise && batch !== 1) parts.push(`noise of batches of ${batch}`);
  if (accumulate > 1) parts.push(`an update after ${accumulate} of them`);
  if (every > 1) parts.push(`recorded every ${every}`);
  parts.push(dtype);
  if (measure?.length) parts.push(`with ${measure.join(", ").replaceAll("_", " ")}`);
  return parts.join(", ");
}

/** Describe the seeds. */
export function seedWords({ seeds }) {
  if (!Array.isArray(seeds))
    return seeds.count === 1 ? `${seeds.first}` : `${seeds.first} to ${seeds.first + seeds.count - 1} (${seeds.count})`;
  const inRow = seeds.every((seed, at) => seed === seeds[0] + at);
  return seeds.length > 2 && inRow ? `${seeds[0]} to ${seeds.at(-1)} (${seeds.length})` : few(seeds);
}

/** Describe a job in one line: "sgd, momentum · ravine · 400 updates · 1 seed". */
export function summary(spec, catalogue) {
  const names = spec.optimizers.map((entry) => {
    const num = numSettings(entry);
    return num > 1 ? `${nameOf(entry)} × ${num}` : nameOf(entry);
  });
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} more`] : names;
  const starts = numStarts(spec.problem);
  return [
    problemName(spec.problem),
    shown.join(", "),
    count(spec.epochs, catalogue.isLandscape(spec.problem) ? "update" : "epoch"),
    starts > 1 ? count(starts, "start") : null,
    count(numSeeds(spec), "seed"),
  ]
    .filter(Boolean)
    .join(" · ");
}

// Link to the view in which the settings of a job can be changed and run again.
import { writeOptimizer } from "./address.js";
import { ROOT } from "./api.js";
import { numSettings } from "./grids.js";
import { numSeeds } from "./seeds.js";

// Most optimizers that these views can show.
const MAX_SETTINGS = 8;
const MAX_STEPS = 2_000;

/** Give the address of the view that has the settings of a job; null where none can show them. */
export function addressOf({ id, spec }, catalogue) {
  const num = spec.optimizers.reduce((sum, entry) => sum + numSettings(entry), 0);
  const rule = spec.optimizers.find(({ kind }) => kind === "formula");
  if (rule) return ruleAddress(rule, spec.problem, catalogue);
  if (num > MAX_SETTINGS) return null;
  // The view of training reads the settings from the job itself.
  if (catalogue.isNetwork(spec.problem)) return `${ROOT}/train?job=${id}`;
  const path = num === spec.optimizers.length && !spec.decide ? racePath(spec, catalogue) : null;
  return path && ROOT + path;
}

/** Give the address of the editor of a rule, with its problem. */
function ruleAddress(rule, problem, catalogue) {
  const { resolved, ...rest } = catalogue.withoutDefaults(problem, catalogue.problem(problem.kind));
  const query = { rule: writeOptimizer(changedOnly(rule, catalogue)), p: writeOptimizer(rest) };
  return `${ROOT}/optimizer?${new URLSearchParams(query)}`;
}

/** Give the path of the race of a spec, of a job or of a preset; null where it is none. */
export function racePath({ problem, optimizers, epochs, batch_size: batch = 1, seeds }, catalogue) {
  const isPlain = problem.kind === "surface" && !problem.starts && !problem.shift_at && Number.isInteger(batch);
  if (!isPlain || epochs > MAX_STEPS || optimizers.length > MAX_SETTINGS) return null;
  const query = new URLSearchParams(problem.name ? { surface: problem.name } : { f: problem.expression });
  if (problem.parameters)
    query.set("k", Object.entries(problem.parameters).map((one) => one.join(":")).join(","));
  if (problem.start) query.set("start", problem.start.join(","));
  for (const entry of optimizers) query.append("o", writeOptimizer(changedOnly(entry, catalogue)));
  if (problem.noise) query.set("noise", problem.noise);
  if (batch !== 1) query.set("batch", String(batch));
  query.set("steps", epochs);
  const num = numSeeds({ seeds });
  if (num > 1) query.set("seeds", String(num));
  return `/?${query}`;
}

/** Remove the defaults of the catalogue from an entry. */
function changedOnly(entry, catalogue) {
  const isConstant = (name, { kind, warmup_steps: warmup }) =>
    name.endsWith("schedule") && kind === "constant" && !warmup;
  const changed = Object.entries(catalogue.withoutDefaults(entry, catalogue.optimizer(entry.kind)));
  return Object.fromEntries(changed.filter(([name, value]) => !isConstant(name, value)));
}

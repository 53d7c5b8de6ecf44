// Which other view can take up the settings of a job, to change them and run?
import { writeOptimizer } from "../address.js";
import { ROOT, getOnce } from "../api.js";
import { numSeeds, numSettings } from "./words.js";

const NETWORKS = ["flipnet", "digits", "playground"];
// As many as those views have room for.
const MAX_SETTINGS = 8;
const MAX_STEPS = 2_000;

/** Give the address of the view that has the settings of a job; null where none can show them. */
export async function addressOf({ id, spec }) {
  const num = spec.optimizers.reduce((sum, entry) => sum + numSettings(entry), 0);
  if (num > MAX_SETTINGS) return null;
  // The view of training reads the settings from the job itself.
  if (NETWORKS.includes(spec.problem.kind)) return `${ROOT}/train?job=${id}`;
  return num === spec.optimizers.length ? raceAddress(spec) : null;
}

async function raceAddress({ problem, optimizers, epochs, batch_size: batch, seeds }) {
  const isPlain = problem.kind === "surface" && !problem.starts && !problem.shift_at && Number.isInteger(batch);
  if (!isPlain || epochs > MAX_STEPS) return null;
  const catalogue = (await getOnce("/v1/optimizers")).items;
  const query = new URLSearchParams(problem.name ? { surface: problem.name } : { f: problem.expression });
  if (problem.start) query.set("start", problem.start.join(","));
  for (const entry of optimizers) query.append("o", writeOptimizer(changedOnly(entry, catalogue)));
  if (problem.noise) query.set("noise", problem.noise);
  if (batch !== 1) query.set("batch", batch);
  query.set("steps", epochs);
  const num = numSeeds({ seeds });
  if (num > 1) query.set("seeds", num);
  return `${ROOT}/?${query}`;
}

/** Leave out of an entry what is as the catalogue has it. */
function changedOnly(entry, catalogue) {
  const usual = catalogue.find(({ kind }) => kind === entry.kind)?.parameters.properties ?? {};
  const isUsual = (name, value) =>
    value === null ||
    JSON.stringify(value) === JSON.stringify(usual[name]?.default) ||
    (name.endsWith("schedule") && value.kind === "constant" && !value.warmup_steps) ||
    (name === "label" && value === entry.kind);
  return Object.fromEntries(
    Object.entries(entry).filter(([name, value]) => ["kind", "lr"].includes(name) || !isUsual(name, value)),
  );
}

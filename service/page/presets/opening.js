// Opening a preset in the view that fits it: a race by its address, other presets as a job.
import { get, post } from "../api.js";
import { racePath } from "../elsewhere.js";
import { expanded, varying } from "../grids.js";
import { go } from "../navigation.js";

// Most settings that Train draws.
const MOST_CURVES = 8;

/** Open a preset: gives when its view is shown. */
export async function open(name, catalogue, signal) {
  const { spec } = await get(`/v1/presets/${name}`, { signal });
  const race = raceOf(spec, catalogue);
  if (race) return go(race);
  const { id } = await post("/v1/jobs", { preset: name }, { signal });
  go(pathOf(spec, id, catalogue));
}

/** Give the path of the race of a preset; null where it is none, or measures what a race does not show. */
function raceOf(spec, catalogue) {
  if (spec.measure?.length) return null;
  return racePath({ ...spec, optimizers: spec.optimizers.flatMap(expanded) }, catalogue);
}

/** Give the path of the view that shows a job of a spec best. */
function pathOf({ problem, optimizers }, id, catalogue) {
  const [only, ...others] = optimizers;
  const isSweep = !others.length && ((problem.starts?.x && problem.starts.y) || varying(only).length === 2);
  if (isSweep) return `/sweep?job=${id}`;
  const isTraining = catalogue.isNetwork(problem) && optimizers.flatMap(expanded).length <= MOST_CURVES;
  return isTraining ? `/train?job=${id}` : `/jobs/${id}`;
}

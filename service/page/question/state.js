// The question in the address: problem, kinds of optimizers, and how long to run.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";

const KINDS = ["sgd", "momentum", "adam"];
export const MARGIN = 0.05;
export const MOST_SEEDS = 500;

/**
 * Read the state from the address; `margin` is null where the number of seeds is fixed.
 *
 * `first` is the problem of an address without one; `fits(problem)` says whether the view can ask about a problem.
 */
export function readState(catalogue, first, fits = (problem) => catalogue.problem(problem.kind)) {
  const query = readAddress();
  const named = query.has("p") ? readOptimizer(query.get("p")) : null;
  const kinds = query.has("o") ? query.get("o").split(",").filter((kind) => catalogue.optimizer(kind)) : KINDS;
  return {
    problem: named && fits(named) ? named : first,
    kinds,
    margin: Number(query.get("margin")) || null,
    most: Math.round(Number(query.get("most"))) || MOST_SEEDS,
    job: query.get("job"),
  };
}

/** Write the state to the address; a question without a problem has none there. */
export function writeState({ problem, kinds, margin, most, job }, how) {
  writeAddress(
    {
      p: problem && writeOptimizer(problem),
      o: kinds.join(","),
      margin,
      most: margin === null ? null : most,
      job,
    },
    how,
  );
}

/** Give the spec: kinds without settings are searched, all with the same number of trials. */
export function specOf({ problem, kinds, margin, most }) {
  return {
    problem,
    optimizers: kinds,
    ...(margin === null ? {} : { decide: { margin, max_seeds: most } }),
  };
}

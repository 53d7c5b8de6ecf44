// The question in the address: problem, kinds of optimizers, and how long to run.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";

const FIRST = { problem: { kind: "flipnet" }, kinds: ["sgd", "momentum", "adam"] };
export const MARGIN = 0.05;
export const MOST_SEEDS = 500;

/** Read the state from the address; `margin` is null where the number of seeds is fixed. */
export function readState(catalogue) {
  const query = readAddress();
  const named = query.has("p") ? readOptimizer(query.get("p")) : null;
  const kinds = query.has("o") ? query.get("o").split(",").filter((kind) => catalogue.optimizer(kind)) : FIRST.kinds;
  return {
    problem: named && catalogue.problem(named.kind) ? named : FIRST.problem,
    kinds,
    margin: Number(query.get("margin")) || null,
    most: Math.round(Number(query.get("most"))) || MOST_SEEDS,
    job: query.get("job"),
  };
}

/** Write the state to the address. */
export function writeState({ problem, kinds, margin, most, job }, how) {
  writeAddress(
    { p: writeOptimizer(problem), o: kinds.join(","), margin, most: margin === null ? null : most, job },
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

// A spec without defaults; the spec of a job has all defaults filled in.

// Defaults of the spec of a job, which are not in the catalogue.
const PLAIN = {
  accumulate: 1,
  record_every: 1,
  measure: [],
  target_loss: null,
  ttl_seconds: null,
  time_limit_seconds: null,
  preset: null,
};

/** Remove the defaults from the spec of a job. */
export function tidied(spec, catalogue) {
  const isPlain = ([name, value]) => name in PLAIN && JSON.stringify(value) === JSON.stringify(PLAIN[name]);
  return {
    ...Object.fromEntries(Object.entries(spec).filter((one) => !isPlain(one))),
    problem: catalogue.withoutDefaults(spec.problem, catalogue.problem(spec.problem.kind)),
    optimizers: spec.optimizers.map((one) => catalogue.withoutDefaults(one, catalogue.optimizer(one.kind))),
  };
}

// A spec as a person would write it: a job's has every default filled in.

// Defaults of a job's spec itself, which is not in the catalogue.
const PLAIN = {
  accumulate: 1,
  record_every: 1,
  measure: [],
  target_loss: null,
  ttl_seconds: null,
  time_limit_seconds: null,
  preset: null,
};

/** Leave the defaults out of a job's spec. */
export function tidied(spec, catalogue) {
  const isPlain = ([name, value]) => name in PLAIN && JSON.stringify(value) === JSON.stringify(PLAIN[name]);
  return {
    ...Object.fromEntries(Object.entries(spec).filter((one) => !isPlain(one))),
    problem: catalogue.withoutDefaults(spec.problem, catalogue.problem(spec.problem.kind)),
    optimizers: spec.optimizers.map((one) => catalogue.withoutDefaults(one, catalogue.optimizer(one.kind))),
  };
}

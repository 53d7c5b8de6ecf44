// A spec as a person would write it: a job's has every default filled in.
import { getOnce } from "../api.js";

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
// What a spec has where nothing is said.
const PLAIN = {
  accumulate: 1,
  record_every: 1,
  measure: [],
  target_loss: null,
  ttl_seconds: null,
  time_limit_seconds: null,
  preset: null,
};

/** Leave out of a job's spec what the catalogue has as defaults. */
export async function tidied(spec) {
  const [problems, optimizers] = await Promise.all(
    ["/v1/problems", "/v1/optimizers"].map(async (path) => (await getOnce(path)).items),
  );
  const short = (one, list) => {
    const known = list.find(({ kind }) => kind === one.kind)?.parameters.properties ?? {};
    return Object.fromEntries(
      Object.entries(one).filter(
        ([name, value]) =>
          value !== null &&
          !(name in known && same(value, known[name].default)) &&
          !(name === "label" && value === one.kind),
      ),
    );
  };
  const rest = Object.entries(spec).filter(([name, value]) => !(name in PLAIN && same(value, PLAIN[name])));
  return {
    ...Object.fromEntries(rest),
    problem: short(spec.problem, problems),
    optimizers: spec.optimizers.map((one) => short(one, optimizers)),
  };
}

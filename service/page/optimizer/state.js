// The rule in the address: the entry of kind `formula` with its text, the problem, and the job of its comparison.
import { readAddress, readOptimizer, writeAddress, writeOptimizer } from "../address.js";
import { USUAL_RATE } from "../catalogue.js";

const FIRST_KIND = "momentum";
const FIRST_PROBLEM = { kind: "surface", name: "ravine" };
const RIVALS = ["sgd", "adam"];

/** Give a built-in kind as a rule; its learning rate is searched. */
export function ruleOf({ as_formula: { lr, ...rule } }) {
  return rule;
}

/** Read the state from the address. */
export function readState(catalogue) {
  const query = readAddress();
  const [rule, problem] = ["rule", "p"].map((name) => (query.has(name) ? readOptimizer(query.get(name)) : null));
  const isRule = rule?.kind === "formula" && Array.isArray(rule.update);
  return {
    rule: isRule ? rule : ruleOf(catalogue.optimizer(FIRST_KIND)),
    problem: problem && catalogue.problem(problem.kind) ? problem : FIRST_PROBLEM,
    job: query.get("job"),
  };
}

/** Write the state to the address. */
export const writeState = ({ rule, problem, job }, how) =>
  writeAddress({ rule: writeOptimizer(rule), p: writeOptimizer(problem), job }, how);

/** Give the spec: SGD and Adam are searched, and so is a rule without a learning rate, all with as many trials. */
export const specOf = ({ rule, problem }) => ({ problem, optimizers: [...RIVALS, rule] });

/** Give the address of the race of the rule against SGD and Adam, on its surface or else on the ravine. */
export function raceOf({ rule, problem }, catalogue) {
  const surface = problem.kind === "surface" ? problem : FIRST_PROBLEM;
  const rates = catalogue.rates("surface");
  const lr = typeof rule.lr === "number" ? rule.lr : USUAL_RATE;
  const racers = [{ ...rule, lr }, ...RIVALS.map((kind) => ({ kind, lr: rates[kind] ?? USUAL_RATE }))];
  const query = new URLSearchParams(surface.name ? { surface: surface.name } : { f: surface.expression });
  if (surface.start) query.set("start", surface.start.join(","));
  for (const one of racers) query.append("o", writeOptimizer(one));
  return `/?${query}`;
}

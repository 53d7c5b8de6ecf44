// The catalogue of the server: kinds of problem and of optimizer, with their parameters and properties.
import { getOnce } from "./api.js";
import { learnNames } from "./labels.js";

/** Learning rate of a slider if the catalogue suggests none. */
export const USUAL_RATE = 0.015;

/** Load the catalogue; one request for each list while the page is open. */
export async function getCatalogue() {
  const [problems, optimizers] = await Promise.all(["/v1/problems", "/v1/optimizers"].map(getOnce));
  learnNames(optimizers.items);
  return new Catalogue(problems.items, optimizers.items);
}

/** Give the sentence on formulas of an entry of the catalogue. */
export const formulasOf = (entry) => entry.parameters.properties.expression.description;

class Catalogue {
  constructor(problems, optimizers) {
    this.problems = problems;
    this.optimizers = optimizers;
  }

  /** The kinds of optimizer that a form can make: a formula has to be written. */
  get choices() {
    return this.optimizers.filter(({ kind }) => kind !== "formula");
  }

  /** Find a kind of problem. */
  problem(kind) {
    return this.problems.find((one) => one.kind === kind);
  }

  /** Find a kind of optimizer. */
  optimizer(kind) {
    return this.optimizers.find((one) => one.kind === kind);
  }

  /** Whether a problem is a loss of coordinates rather than a network: one epoch is one update there. */
  isLandscape({ kind }) {
    return this.problem(kind)?.is_landscape ?? false;
  }

  /** The kinds of problem that train a network. */
  get networks() {
    return this.problems.filter((one) => !one.is_landscape);
  }

  /** Whether a problem trains a network. */
  isNetwork({ kind }) {
    return this.networks.some((one) => one.kind === kind);
  }

  /** The surfaces that have names. */
  get surfaces() {
    return this.problems.find(({ surfaces }) => surfaces).surfaces;
  }

  /** What a formula of the user may contain, in a sentence. */
  get formulas() {
    return formulasOf(this.problem("surface"));
  }

  /** The learning rates that suit a kind of problem: {kind of optimizer: rate}, without those that are not known. */
  rates(problemKind) {
    const known = this.optimizers.filter(({ learning_rates: rates }) => problemKind in rates);
    return Object.fromEntries(known.map(({ kind, learning_rates: rates }) => [kind, rates[problemKind]]));
  }

  /** The hyper-parameters of an optimizer that may be swept: [[name, schema], …]. */
  hyperParameters(kind) {
    const properties = Object.entries(this.optimizer(kind).parameters.properties);
    return properties.filter(([, schema]) => schema.oneOf?.some(({ type }) => type === "array"));
  }

  /** Leave out of a problem or an optimizer what the catalogue has as defaults. */
  withoutDefaults(part, entry) {
    const known = entry?.parameters.properties ?? {};
    const isUsual = ([name, value]) =>
      value === null ||
      (name in known && JSON.stringify(value) === JSON.stringify(known[name].default)) ||
      (name === "label" && value === part.kind);
    return Object.fromEntries(Object.entries(part).filter((one) => !isUsual(one)));
  }
}

// Labels of optimizers, which distinguish the entries of a job.
import { short } from "./format.js";

// Names of kinds in sentences, figures and choices, by the catalogue.
const names = new Map();
// What follows a kind in the label of a setting: of the API, or of a race with one kind twice.
const SETTING = /^(?:(?:\w+=\S+)(?: \w+=\S+)*|(?:\w+|β) [\d.]\S*(?: (?:\w+|β) [\d.]\S*)*|\(\d+\))$/;

/** Learn the short names of the kinds of the catalogue. */
export const learnNames = (optimizers) =>
  optimizers.forEach(({ kind, short_name: name }) => kind === "formula" || names.set(kind, name));

/** Give an entry's label: its kind where it has none. */
export const labelOf = (entry) => entry.label ?? entry.kind;

/** Give each optimizer a unique label: its kind, with the values in which it differs from others of its kind. */
export function labelled(list) {
  const kinds = list.map(({ kind }) => kind);
  const used = new Set();
  return list.map((one) => {
    let label = labelOf(one);
    if (!one.label && kinds.filter((kind) => kind === one.kind).length > 1) {
      const others = list.filter((other) => other !== one && other.kind === one.kind);
      const distinct = ["lr", "momentum", "beta1"].filter(
        (name) => others.some((other) => other[name] !== one[name]) && one[name] !== undefined,
      );
      label = [one.kind, ...distinct.map((name) => `${name === "lr" ? "lr" : "β"} ${one[name]}`)].join(" ");
    }
    let unique = label;
    for (let number = 2; used.has(unique); number += 1) unique = `${label} (${number})`;
    used.add(unique);
    return { ...one, label: unique };
  });
}

/** Write a label in words: "sgd lr=0.0888623816274" is "SGD lr=0.08886", "lr=1e-05" is "lr=10⁻⁵". */
export function plainLabel(label) {
  const [kind, ...rest] = label.split(" ");
  const setting = rest.join(" ");
  if (!names.has(kind) || (setting && !SETTING.test(setting))) return plainNumbers(label);
  return [names.get(kind), plainNumbers(setting)].filter(Boolean).join(" ");
}

/** Name an entry of a spec. */
export const nameOf = (entry) => plainLabel(labelOf(entry));

const HYPER_PARAMETERS = { lr: "learning rate", beta1: "β₁", beta2: "β₂", nu: "ν", eps: "ε", alpha: "α", rho: "ρ" };
/** Name a hyper-parameter in words: "weight decay". */
export const hyperParameterName = (name) => HYPER_PARAMETERS[name] ?? name.replaceAll("_", " ");

/** Shorten a description of the catalogue to its first clause, in words: "Adds weight decay × w to the gradient". */
export const clause = (description) =>
  description
    .split(/\. |; |\.$| \(/)[0]
    .replaceAll("`", "")
    .replace(/(?<=\w)_(?=\w)/g, " ");

const plainNumbers = (label) =>
  label.replace(/(?<![\w.])-?(?:\d+\.\d{5,}(?:e[-+]?\d+)?|\d+(?:\.\d+)?e[-+]?\d+)(?![\w.])/g, (text) => short(text, 4));

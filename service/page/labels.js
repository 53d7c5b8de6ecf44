// Labels of optimizers, which distinguish the entries of a job.
import { short } from "./format.js";

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

/** Shorten the numbers in a label: "sgd lr=0.0888623816274" is "sgd lr=0.08886", "lr=1e-05" is "lr=10⁻⁵". */
export const plainLabel = (label) =>
  label.replace(/(?<![\w.])-?(?:\d+\.\d{5,}(?:e[-+]?\d+)?|\d+(?:\.\d+)?e[-+]?\d+)(?![\w.])/g, (text) => short(text, 4));

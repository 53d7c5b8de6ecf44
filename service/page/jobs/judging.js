// How the labels of a job were judged: the criterion, whether it was declared, seeds, confidence, and other criteria.
import { h } from "../dom.js";
import { fieldTitle } from "../fields.js";
import { count } from "../format.js";
import { plainLabel } from "../labels.js";
import { hasIntervals } from "../pairs.js";
import { capital } from "../standings.js";

/** Describe the judging in short sentences. */
export function judging(found) {
  const { criterion, replicates, starts, tuned, choosing_seeds: choosing, confidence } = found;
  const from = starts > 1 ? `, each from ${count(starts, "start")}` : "";
  return [
    criterion.scale === "log" ? "Compared on a logarithmic scale." : "Compared on a linear scale.",
    criterion.declared ? "Declared in the job, before the results." : "Not declared in the job.",
    `${count(replicates, "distinct seed")} judged${from}.`,
    tuned ? `${count(choosing, "seed")} chose one setting of each label.` : "",
    hasIntervals(found)
      ? `All intervals of pairs and ranks hold at once with ${Math.round(confidence * 100)} % confidence.`
      : "There are no intervals.",
  ]
    .filter(Boolean)
    .join(" ");
}

/** List the verdicts by the other criteria. */
export function otherCriteria({ other_criteria: others }) {
  if (!others.length) return [];
  return [
    h("h3", {}, "By other criteria"),
    h(
      "dl",
      { class: "facts others" },
      others.flatMap(({ name, verdict }) => [
        h("dt", {}, capital(fieldTitle(name))),
        h("dd", {}, plainLabel(verdict)),
      ]),
    ),
  ];
}

// What several views show of a comparison: the verdict with its warnings, and how a setting reaches the target.
import { h } from "./dom.js";
import { estimate, number } from "./format.js";
import { plainLabel } from "./labels.js";

/** Show the verdict, the only sentence that claims a difference, the warnings, and notes of the view. */
export const verdictLines = ({ verdict, warnings }, notes = []) => [
  h("p", { class: "verdict" }, plainLabel(verdict)),
  h(
    "ul",
    { class: "warnings" },
    [...warnings.map(({ sentence }) => sentence), ...notes].map((sentence) => h("li", {}, plainLabel(sentence))),
  ),
];

/** Write when a setting reaches the target: "30 steps", "67 % of runs, 41 steps expected"; null without a target. */
export function reached({ epochs_to_target: epochs, share_reached: share, expected_epochs: expected }, unit) {
  if (share === null || share === undefined) return null;
  if (share === 0) return "not reached";
  const one = share === 1 ? epochs.median : { value: number(expected), low: null, high: null };
  const words = `${estimate(one)} ${unit}${one.value === 1 ? "" : "s"}`;
  return share === 1 ? words : `${percent(share)} of runs, ${words} expected`;
}

/** Write a share in per cent; one below 100 % is never rounded to it. */
export const percent = (share) => `${share > 0.99 && share < 1 ? 99 : Math.round(share * 100)} %`;

/** Write whose intervals a table of single settings has, from their summaries. */
export function describing(summaries) {
  const known = summaries.filter(Boolean);
  const num = Math.max(0, ...known.map((one) => one.num));
  if (num < 2) return "Of one seed: there is no margin of error.";
  const each = known.some(({ median }) => median.low !== null);
  return `Medians over ${num} seeds${each ? ", each with its own 95 % interval" : ", too few for intervals"}; only the sentence above compares.`;
}

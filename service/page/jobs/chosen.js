// The settings that were chosen for the labels of a job, with the line of Python that makes each.
import { copy, h } from "../dom.js";
import { count, short } from "../format.js";
import { plainLabel } from "../labels.js";
import { table } from "../table.js";
import { named } from "../plot/swatch.js";

/** Make the table of chosen settings; nothing where none was chosen. `styles` has the styles of compared labels. */
export function chosenSettings({ tuned, choosing_seeds: seeds, labels }, styles) {
  const chosen = tuned ? labels.filter((one) => one.chosen) : [];
  if (!chosen.length) return [];
  const columns = [
    { name: "Label", cell: ({ label }) => named(label, styles), row: true, always: true },
    { name: "Chosen setting", cell: ({ chosen: { setting } }) => plainLabel(setting), always: true },
    { name: "Settings", cell: ({ num_settings: num }) => num.toLocaleString("en"), number: true, always: true },
    { name: "Rates within 10 %", cell: ({ tuning }) => rates(tuning?.learning_rates), number: true },
    { name: "Expected loss of 1 … all", cell: ({ tuning }) => expected(tuning?.expected_best), number: true },
    { name: "In PyTorch", cell: code },
  ];
  return [
    h("h3", {}, "Chosen settings"),
    h("p", { class: "caption" }, `Chosen by ${count(seeds, "seed")}, each label by its median loss.`),
    table(
      "Chosen settings",
      columns.filter(({ cell, always }) => always || chosen.some((one) => cell(one) !== null)),
      chosen,
    ),
  ];
}

/** Write the band of learning rates that do about as well as the best one. */
function rates(band) {
  if (!band || band.low === null) return null;
  return band.low === band.high ? short(band.low) : `${short(band.low)} to ${short(band.high)}`;
}

/** Write the expected best loss of one setting drawn at random, and of all settings. */
const expected = (best) => (best ? `${short(best.loss[0])} … ${short(best.loss.at(-1))}` : null);

function code({ label, chosen: { code: line } }) {
  if (!line) return null;
  return h(
    "span",
    { class: "command" },
    h("code", {}, line),
    h(
      "button",
      { type: "button", class: "quiet", "aria-label": `Copy the code of ${plainLabel(label)}`, onclick: () => copy(line, "Code") },
      "Copy",
    ),
  );
}

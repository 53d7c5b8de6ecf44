// The labels of a comparison in a table: rank, typical values, epochs to the target, difference to the baseline.
import { h } from "./dom.js";
import { fieldTitle } from "./fields.js";
import { estimate, short } from "./format.js";
import { plainLabel } from "./labels.js";
import { hasIntervals, isRatio, marked, pairOf, sizeWords } from "./pairs.js";
import { named } from "./plot/swatch.js";
import { table } from "./table.js";
import { percent } from "./verdict.js";

// Quantities shown of every label beside the criterion, as medians.
const QUANTITIES = ["final_loss", "test_loss", "accuracy", "test_accuracy"];

/** List what is compared: {label, setting, low, high}, best mean first, and labels without a rank last. */
export function compared({ labels, ranks, tuned }) {
  const all = labels.flatMap((entry) =>
    entry.settings.map((setting) => ({ label: tuned ? entry.label : setting.label, setting })),
  );
  const at = (label) => ranks.findIndex((one) => one.label === label);
  const ranked = all.filter(({ label }) => at(label) >= 0).sort((one, other) => at(one.label) - at(other.label));
  return [
    ...ranked.map((one) => ({ ...one, ...ranks[at(one.label)] })),
    ...all.filter(({ label }) => at(label) < 0),
  ];
}

/** Give the styles of the lines of compared labels; a chosen setting has a line of its own. */
export const stylesByLabel = (found, styles) =>
  new Map(
    compared(found).flatMap(({ label, setting }) =>
      styles.has(setting.label) ? [[label, styles.get(setting.label)]] : [],
    ),
  );

/** Make the table. `styles` has the styles of compared labels. */
export function standings(found, styles) {
  const rows = compared(found);
  const best = marked(found);
  const chip = best.length === 1 ? "best" : "among the best";
  const name = ({ label, setting }) => [
    ...named(label, styles),
    ...(best.includes(label) ? [" ", h("span", { class: "chip good best" }, chip)] : []),
    setting.is_baseline ? h("span", { class: "caption" }, " baseline") : "",
  ];
  const columns = [
    { name: "Label", cell: name, row: true, always: true },
    ...(hasIntervals(found) ? [{ name: "Rank", cell: rankWords, number: true }] : []),
    quantity(found.criterion.name),
    { name: `${isRatio(found) ? "Ratio" : "Difference"} to ${plainLabel(found.baseline)}`, cell: toBaseline(found) },
    ...QUANTITIES.filter((name) => name !== found.criterion.name).map(quantity),
    ...toTarget(found),
    { name: "Seeds", cell: ({ setting }) => setting.final_loss?.num ?? null },
    { name: "Diverged", cell: ({ setting: { diverged, runs } }) => (diverged ? `${diverged} of ${runs}` : null) },
  ];
  const shown = columns.filter(({ cell, always }) => always || rows.some((one) => cell(one) !== null));
  return table(
    "Labels",
    shown.map((one) => ({ ...one, number: !one.row })),
    rows,
  );
}

const rankWords = ({ low, high }) => (low === undefined ? null : low === high ? String(low) : `${low}–${high}`);

/** Make the column of the medians of a quantity. */
const quantity = (name) => ({
  name: capital(fieldTitle(name)),
  cell: ({ setting }) => (setting[name] ? estimate(setting[name].median) : null),
});

/** Make the columns about the target: misses count as all epochs of a run. */
function toTarget({ target: { loss }, baseline }) {
  const goal = short(loss);
  return [
    {
      name: `Reach ${goal}`,
      cell: ({ setting: { share_reached: share } }) => (share === null ? null : percent(share)),
    },
    {
      name: `Expected epochs to ${goal}`,
      cell: ({ setting: { expected_epochs: epochs } }) => (epochs === null ? null : short(epochs)),
    },
    {
      name: `Speed-up over ${plainLabel(baseline)} to ${goal}`,
      cell: ({ setting }) => faster(setting.against_baseline?.speed_up, setting.against_baseline?.seeds),
    },
  ];
}

/** Write a ratio of expected running times, or its bound where one label never reaches the target. */
function faster(speed, seeds) {
  if (!speed) return null;
  const rests = speed.seeds === seeds ? "" : `, ${speed.seeds} seeds`;
  if (speed.ratio) return estimate(speed.ratio) + rests;
  if (speed.at_least !== null) return `at least ${short(speed.at_least)}${rests}`;
  if (speed.at_most !== null) return `at most ${short(speed.at_most)}${rests}`;
  return null;
}

function toBaseline(found) {
  return ({ label }) => {
    const pair = label === found.baseline ? null : pairOf(found, label, found.baseline);
    return pair ? sizeWords(found, pair) : null;
  };
}

/** Begin a text with a capital letter. */
export const capital = (text) => text.replace(/^./, (letter) => letter.toUpperCase());

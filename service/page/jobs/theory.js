// Predicted and measured rates of the settings of a job.
import { h } from "../dom.js";
import { short } from "../format.js";
import { plainLabel } from "../labels.js";
import { table } from "../table.js";
import { named } from "../plot/swatch.js";
import { spectrumFigure } from "./spectrum.js";

// Of a large grid only the settings whose lines are drawn are shown; the API has all of them.
const MAX_ROWS = 20;

/** Show the theory of a comparison, if there is any. */
export function theoryTable({ theory, labels }, styles) {
  if (!theory) return [];
  const compared = new Set(labels.flatMap(({ settings }) => settings.map(({ label }) => label)));
  const all = theory.settings.filter(({ lr_limit: limit, rate, measured_rate: measured }) =>
    [limit, rate, measured].some((value) => value !== null),
  );
  const shown = all.length > MAX_ROWS ? all.filter(({ label }) => compared.has(label) || styles.has(label)) : all;
  const { problem } = theory;
  if (!shown.length && !problem.notes.length) return [];
  const columns = [
    { name: "Setting", cell: ({ label }) => named(label, styles), row: true, always: true },
    { name: "Learning rate", cell: limit, number: true },
    { name: "Error at each update, theory", cell: ({ rate }) => factor(rate), number: true },
    { name: "as measured", cell: ({ measured_rate: rate }) => factor(rate), number: true },
    { name: "Course", cell: ({ oscillates }) => (oscillates === null ? null : oscillates ? "swings" : "straight") },
  ];
  const ground =
    problem.condition_number === null
      ? ""
      : `Curvature at the minimum from ${short(problem.smallest)} to ${short(problem.largest)}: ` +
        `condition number ${short(problem.condition_number)}` +
        (problem.unscaled_condition_number === null
          ? "."
          : `, without scaling ${short(problem.unscaled_condition_number)}.`);
  const best = problem.best.map(
    ({ kind, lr, momentum, rate }) =>
      `${plainLabel(kind)} at rate ${short(lr)}${momentum ? ` and momentum ${short(momentum)}` : ""} (${short(rate)}× at each update)`,
  );
  return [
    h("h2", {}, "Theory beside it"),
    h(
      "p",
      { class: "caption" },
      ground,
      theory.exact
        ? " The curvature is the same everywhere."
        : problem.minimum || problem.minimum_loss !== null
          ? " Theory holds near the minimum."
          : "",
      problem.minimum_loss === null ? "" : ` Least loss: ${short(problem.minimum_loss)}.`,
      best.length ? ` Best constant settings: ${best.join("; ")}.` : "",
    ),
    ...spectrumFigure(theory, styles),
    h(
      "ul",
      { class: "warnings" },
      notes(problem, shown).map((sentence) => h("li", {}, sentence)),
    ),
    shown.length
      ? table(
          "Theory",
          columns.filter(({ cell, always }) => always || shown.some((one) => cell(one) !== null)),
          shown,
        )
      : "",
  ];
}

/** List the sentences on what has no value: those of the problem, then those of settings with their labels. */
function notes(problem, settings) {
  const labels = new Map();
  for (const { label, notes: sentences } of settings) {
    for (const one of sentences) labels.set(one, [...(labels.get(one) ?? []), label]);
  }
  const own = [...labels].filter(([sentence]) => !problem.notes.includes(sentence));
  return [...problem.notes, ...own.map(([sentence, names]) => `${names.map(plainLabel).join(", ")}: ${sentence}`)];
}

const factor = (value) => (value === null ? null : `${short(value, 4)}×`);

function limit({ lr_limit: rate, inside }) {
  if (rate === null) return inside === false ? h("span", { class: "chip warn" }, "never stable") : null;
  return h("span", { class: inside ? "chip good" : "chip warn" }, `${inside ? "stable" : "unstable"} (limit ${short(rate)})`);
}

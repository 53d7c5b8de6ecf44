// The comparison of a job: the verdict, and a table of the settings by rank.
import { changeAddress, readAddress } from "../address.js";
import { get } from "../api.js";
import { h, newId } from "../dom.js";
import { estimate, number, short } from "../format.js";
import { labelOf, plainLabel } from "../labels.js";
import { calm, complain, failure } from "../states.js";
import { table } from "../table.js";
import { theoryTable } from "./theory.js";
import { named } from "./words.js";

/** Make the parts of a comparison: `{verdict, ranking, load()}`; `styles()` gives the styles of the curves. */
export function comparison(jobId, spec, styles, signal) {
  const verdict = h("section", { class: "answer", "aria-label": "Verdict", "aria-live": "polite" });
  const baseline = h("select", {
    id: newId("baseline"),
    "data-field": "baseline",
    onchange: () => choose("baseline", baseline.value),
  });
  const target = h("input", {
    id: newId("target"),
    type: "number",
    step: "any",
    "data-field": "target",
    value: readAddress().get("target") ?? "",
    onchange: () => choose("target", target.value),
  });
  const trouble = h("div", {});
  const tables = h("div", {});
  const ranking = h(
    "section",
    { class: "panel ranking", "aria-label": "Ranking", hidden: true },
    h("h2", {}, "Ranking"),
    h("div", { class: "row" }, field("Compared with", baseline), field("Loss to reach", target)),
    trouble,
    tables,
  );
  // Invalid values in a link are replaced by a new choice.
  offer(baseline, ["", ...spec.optimizers.map(labelOf)], "");
  let shown = null;
  let asking = null;

  async function choose(name, value) {
    changeAddress({ [name]: value });
    await load();
  }

  async function load() {
    const query = new URLSearchParams();
    for (const name of ["baseline", "target"]) if (readAddress().get(name)) query.set(name, readAddress().get(name));
    calm(ranking);
    asking?.abort();
    const mine = (asking = new AbortController());
    if (!shown) verdict.replaceChildren(h("div", { class: "skeleton", style: { height: "56px" } }));
    for (const part of [verdict, tables]) part.setAttribute("aria-busy", "true");
    try {
      shown = await get(`/v1/jobs/${jobId}/comparison?${query}`, { signal: AbortSignal.any([signal, mine.signal]) });
      trouble.replaceChildren();
      show();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!shown) verdict.replaceChildren();
      ranking.hidden = false;
      const rest = complain(ranking, error);
      trouble.replaceChildren(rest.length || !error.errors.length ? failure(error) : "");
    }
    if (mine === asking) for (const part of [verdict, tables]) part.removeAttribute("aria-busy");
  }

  /** Draw the answer; repeated when the styles of the curves change. */
  function show() {
    if (!shown) return;
    const settings = shown.labels.flatMap((label) => label.settings);
    const measured = settings.some((one) => one.final_loss);
    verdict.replaceChildren(
      h("p", { class: "verdict" }, plainLabel(shown.verdict)),
      h(
        "ul",
        { class: "warnings" },
        shown.warnings.map(({ sentence }) => h("li", {}, plainLabel(sentence))),
      ),
    );
    ranking.hidden = !measured;
    if (!measured) return;
    const names = new Set([...settings.map(({ label }) => label), shown.baseline]);
    offer(baseline, [...names], shown.baseline);
    target.placeholder = short(shown.target.loss);
    const left = shown.labels.reduce((sum, label) => sum + label.num_settings, 0) - settings.length;
    tables.replaceChildren(
      ranked(shown, settings, styles()),
      h("p", { class: "caption" }, ...notes(shown, left)),
      ...theoryTable(shown, styles()),
    );
  }

  return {
    verdict,
    ranking,
    load,
    show,
    get answer() {
      return shown;
    },
  };
}

function offer(select, labels, chosen) {
  select.replaceChildren(...labels.map((label) => h("option", { value: label }, plainLabel(label) || "the first")));
  select.value = chosen;
}

const field = (text, control) => h("div", { class: "field" }, h("label", { for: control.id }, text), control);

function notes({ intervals, target, pairs }, left) {
  const percent = Math.round(intervals.level * 100);
  const source = {
    query: "asked for here",
    spec: "from the job",
    median_final_loss_of_baseline: "the baseline's median final loss",
  }[target.source];
  return [
    pairs === 1
      ? "Of a single pair of seed and start there is no interval. "
      : `In brackets the ${percent} % interval over ${pairs.toLocaleString("en")} pairs of seed and start. `,
    target.loss === null ? "There is no finite loss to reach. " : `Loss to reach: ${short(target.loss)}, ${source}. `,
    "Settings that the intervals cannot tell apart share a rank. ",
    left > 0
      ? `Of each optimizer the best setting is shown; ${left.toLocaleString("en")} others are in the table of runs.`
      : "",
  ];
}

/** Choose the columns that have values. */
function columns({ target }, settings) {
  const paired = (one) => one.against_baseline;
  const all = [
    ["Final loss", (one) => estimate(one.final_loss?.median)],
    ["Test accuracy", (one) => (one.test_accuracy ? estimate(one.test_accuracy.median) : null)],
    [`Epochs to ${short(target.loss)}`, (one) => reached(one)],
    ["Times sooner", (one) => sooner(paired(one)?.speed_up)],
    [
      "Final loss, less the baseline's",
      (one) => (paired(one)?.final_loss_difference ? estimate(paired(one).final_loss_difference.iqm) : null),
    ],
    [
      "Ends lower",
      (one) => (paired(one)?.probability_of_improvement ? estimate(paired(one).probability_of_improvement) : null),
    ],
    ["p (Holm)", (one) => (paired(one) ? short(paired(one).wilcoxon_p_holm, 2) : null)],
    ["Diverged", (one) => (one.diverged ? `${one.diverged} of ${one.runs}` : null)],
  ];
  return all.filter(([, cell]) => settings.some((one) => cell(one) !== null));
}

function reached({ epochs_to_target: epochs, share_reached: share }) {
  if (!epochs) return null;
  if (!share) return "not reached";
  const part = share < 1 ? `, ${Math.round(share * 100)} % of runs` : "";
  return Number.isFinite(number(epochs.median.value))
    ? estimate(epochs.median) + part
    : `${Math.round(share * 100)} % of runs`;
}

const sooner = (speed) => (speed?.ratio ? estimate(speed.ratio) : null);

function ranked(found, settings, styles) {
  const shown = settings.toSorted((one, other) => (one.rank ?? Infinity) - (other.rank ?? Infinity));
  const label = (one) => [
    ...named(one.label, styles),
    one.is_baseline ? h("span", { class: "caption" }, " baseline") : "",
  ];
  const first = [
    { name: "Rank", cell: ({ rank }) => rank },
    { name: "Setting", cell: label, row: true },
  ];
  const rest = columns(found, settings).map(([name, cell]) => ({ name, cell, number: true }));
  return table("Settings by rank", [...first, ...rest], shown);
}

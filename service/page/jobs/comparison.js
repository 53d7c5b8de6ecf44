// The comparison of a job: the verdict with its criterion, the labels, all pairs, and other criteria.
import { changeAddress, readAddress } from "../address.js";
import { get } from "../api.js";
import { h, newId } from "../dom.js";
import { fieldTitle } from "../fields.js";
import { short } from "../format.js";
import { labelOf, plainLabel } from "../labels.js";
import { calm, complain, failure } from "../states.js";
import { verdictLines } from "../verdict.js";
import { chosenSettings } from "./chosen.js";
import { judging, otherCriteria } from "./judging.js";
import { matrix } from "./matrix.js";
import { hasIntervals, isRatio } from "../pairs.js";
import { capital, compared, standings, stylesByLabel } from "../standings.js";
import { theoryTable } from "./theory.js";

// The choices of a comparison, in the query of the address and of the request.
const CHOICES = ["criterion", "baseline", "target"];

/** Make the parts of a comparison: `{verdict, details, load()}`; `styles()` gives the styles of the curves. */
export function comparison(jobId, spec, styles, signal) {
  const [criterion, baseline] = ["criterion", "baseline"].map((name) =>
    h("select", { id: newId(name), "data-field": name, onchange: ({ target: { value } }) => choose(name, value) }),
  );
  const target = h("input", {
    id: newId("target"),
    type: "number",
    step: "any",
    "data-field": "target",
    value: readAddress().get("target") ?? "",
    onchange: () => choose("target", target.value),
  });
  const sentence = h("div", { "aria-live": "polite" });
  const how = h("p", { class: "caption" });
  const judged = h("div", { class: "row judged", hidden: true }, field("Compared by", criterion), how);
  const verdict = h("section", { class: "answer", "aria-label": "Verdict" }, sentence, judged);
  const trouble = h("div", {});
  const tables = h("div", {});
  const details = h(
    "section",
    { class: "panel comparison", "aria-label": "Comparison", hidden: true },
    h("h2", {}, "Comparison"),
    h("div", { class: "row" }, field("Baseline", baseline), field("Loss to reach", target)),
    trouble,
    tables,
  );
  // Invalid values in a link are replaced by a new choice.
  const named = readAddress().get("criterion");
  offer(criterion, named ? [named, ""] : [""], named ?? "", titleOf);
  offer(baseline, ["", ...spec.optimizers.map(labelOf)], "", plainOf);
  let shown = null;
  let asking = null;
  let criteria = null;

  async function choose(name, value) {
    changeAddress({ [name]: value });
    await load();
  }

  async function load() {
    const query = new URLSearchParams();
    for (const name of CHOICES) if (readAddress().get(name)) query.set(name, readAddress().get(name));
    for (const part of [verdict, details]) calm(part);
    asking?.abort();
    const mine = (asking = new AbortController());
    if (!shown) sentence.replaceChildren(h("div", { class: "skeleton", style: { height: "56px" } }));
    for (const part of [sentence, how, tables]) part.setAttribute("aria-busy", "true");
    try {
      shown = await get(`/v1/jobs/${jobId}/comparison?${query}`, { signal: AbortSignal.any([signal, mine.signal]) });
      trouble.replaceChildren();
      show();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!shown) sentence.replaceChildren();
      judged.hidden = details.hidden = false;
      const rest = [verdict, details].reduce((errors, part) => complain(part, { errors }), error.errors);
      trouble.replaceChildren(rest.length || !error.errors.length ? failure(error) : "");
    }
    if (mine === asking) for (const part of [sentence, how, tables]) part.removeAttribute("aria-busy");
  }

  /** Draw the answer; repeated when the styles of the curves change. */
  function show() {
    if (!shown) return;
    const rows = compared(shown);
    const measured = rows.some(({ setting }) => setting.final_loss);
    sentence.replaceChildren(...verdictLines(shown));
    judged.hidden = details.hidden = !measured;
    if (!measured) return;
    // In the order of the first answer, so that a choice moves none of them.
    criteria ??= [shown.criterion, ...shown.other_criteria].map(({ name }) => name);
    offer(criterion, criteria, shown.criterion.name, titleOf);
    how.textContent = judging(shown);
    offer(baseline, [...new Set([shown.baseline, ...rows.map(({ label }) => label)])], shown.baseline, plainOf);
    target.placeholder = short(shown.target.loss);
    const lines = stylesByLabel(shown, styles());
    tables.replaceChildren(
      standings(shown, lines),
      h("p", { class: "caption" }, notes(shown, rows)),
      ...matrix(shown, lines),
      ...otherCriteria(shown),
      ...chosenSettings(shown, lines),
      ...theoryTable(shown, styles()),
    );
  }

  return { verdict, details, load, show };
}

const plainOf = (label) => plainLabel(label) || "the first";
const titleOf = (name) => (name ? capital(fieldTitle(name)) : "the usual criterion");

function offer(select, values, chosen, wordsOf) {
  select.replaceChildren(...values.map((value) => h("option", { value }, wordsOf(value))));
  select.value = chosen;
}

const field = (text, control) => h("div", { class: "field" }, h("label", { for: control.id }, text), control);

/** Explain the table of labels. */
function notes(found, rows) {
  const { intervals, target } = found;
  const summarized = rows.some(({ setting }) => setting.final_loss?.median.low !== null);
  return [
    "Sorted by mean. Values are medians over seeds.",
    summarized ? `In brackets ${Math.round(intervals.level * 100)} % intervals: those of values describe one label.` : "",
    hasIntervals(found) ? `Those of the ${isRatio(found) ? "ratio" : "difference"} hold for all pairs at once.` : "",
    target.loss === null ? "" : `Loss to reach: ${short(target.loss)}.`,
    target.reason,
  ]
    .filter(Boolean)
    .join(" ");
}

// The curves of a job: a line for each setting, with a band over its seeds and starts.
import { changeAddress, readAddress } from "../address.js";
import { get, getAll } from "../api.js";
import { h, newId } from "../dom.js";
import { fieldTitle, isLinear } from "../fields.js";
import { count } from "../format.js";
import { Histories, band, smoothed } from "../histories.js";
import { labelOf, plainLabel } from "../labels.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { swatch } from "../plot/swatch.js";
import { numSeeds, numStarts } from "../seeds.js";

// Largest number of readable lines.
const MAX_LINES = 12;
// Most runs of a request, so that their indices fit into an address, and most points, so that drawing is fast.
const MAX_RUNS = 2_000;
const MAX_POINTS = 200_000;
const REDRAW_MS = 250;
// Weights of the exponential mean of smoothed lines.
const WEIGHTS = ["0.6", "0.9", "0.97"];

/** Make the chart of a job; `changed()` is called when another field is selected. */
export function charts({ id: jobId, spec, progress: { runs_total: numRuns } }, catalogue, changed, signal) {
  const perSetting = numSeeds(spec) * numStarts(spec.problem);
  const numSettings = Math.round(numRuns / perSetting);
  const many = numSettings > MAX_LINES;
  const histories = new Histories();
  const figure = h("div", { class: "lines" });
  const skeleton = h("div", { class: "skeleton" });
  // For narrow screens, where the legend of the figure would take too much room.
  const legend = h("ul", { class: "legend" });
  const note = h("p", { class: "caption" });
  const chart = curves(figure, signal);
  const id = newId("field");
  const choose = h("select", { id, "data-field": "field", onchange: () => pick(choose.value) });
  const scales = ["log", "linear"].map((name) =>
    h("button", { type: "button", onclick: () => scale(name) }, name === "log" ? "Logarithmic" : "Linear"),
  );
  const smoothId = newId("smoothing");
  const smoothing = h(
    "select",
    { id: smoothId, onchange: () => smooth(smoothing.value) },
    h("option", { value: "" }, "none"),
    WEIGHTS.map((weight) => h("option", { value: weight }, weight)),
  );
  let chosen = null;
  let due = null;
  let live = false;

  const field = () => readAddress().get("field") ?? "loss";
  const isLog = () => (readAddress().get("scale") ?? (isLinear(field()) ? "linear" : "log")) === "log";

  function pick(name) {
    changeAddress({ field: name === "loss" ? null : name });
    changed();
  }

  /** Give the weight of the address; 0 without one. */
  const weight = () => (WEIGHTS.includes(readAddress().get("smooth")) ? Number(readAddress().get("smooth")) : 0);

  function smooth(value) {
    changeAddress({ smooth: value });
    draw();
  }

  function scale(name) {
    changeAddress({ scale: name });
    draw();
  }

  /** Offer the recorded fields of the job. */
  async function offer() {
    const first = (await get(`/v1/jobs/${jobId}/metrics?limit=1&max_points=2`, { signal })).runs[0] ?? {};
    const recorded = Object.keys(first).filter(
      (name) =>
        name !== "epoch" && Array.isArray(first[name]) && first[name].some((value) => typeof value !== "object"),
    );
    show(recorded.length ? recorded : ["loss"]);
  }

  function show(names) {
    const all = names.includes(field()) ? names : [...names, field()];
    choose.replaceChildren(...all.map((name) => h("option", { value: name }, fieldTitle(name))));
    choose.value = field();
  }

  /** Choose which runs are drawn: all, or those of the settings with the best runs. */
  async function choice() {
    if (!many && numRuns <= MAX_RUNS) return (chosen = null);
    let settings = [...Array(numSettings).keys()];
    if (many) {
      const best = (await get(`/v1/jobs/${jobId}/runs?sort=final_loss&limit=500`, { signal })).items;
      settings = [...new Set(best.map(({ index }) => Math.floor(index / perSetting)))].slice(0, MAX_LINES);
    }
    const each = Math.min(perSetting, Math.floor(MAX_RUNS / settings.length));
    chosen = {
      settings,
      each,
      runs: settings.flatMap((number) => [...Array(each).keys()].map((at) => number * perSetting + at)),
    };
    return chosen;
  }

  function maxPoints() {
    const rows = 1 + Math.ceil(spec.epochs / spec.record_every);
    const most = Math.min(2_000, Math.max(50, Math.floor(MAX_POINTS / (chosen?.runs.length ?? numRuns))));
    return rows > most ? most : null;
  }

  /** Read all rows of a job that has ended. */
  async function load(signalOfLoad) {
    await choice();
    const query = new URLSearchParams({ fields: field() });
    if (maxPoints()) query.set("max_points", String(maxPoints()));
    if (chosen) query.set("runs", chosen.runs.join(","));
    const runs = await getAll(`/v1/jobs/${jobId}/metrics?${query}`, { signal: signalOfLoad, items: "runs" });
    live = false;
    histories.clear();
    add(runs);
    draw();
  }

  function add(runs) {
    if (!histories.runs.size) offer().catch(() => {});
    histories.add(runs);
    due ??= setTimeout(draw, REDRAW_MS);
  }

  function draw() {
    clearTimeout(due);
    due = null;
    if (signal.aborted) return;
    choose.value = field();
    smoothing.value = weight() ? String(weight()) : "";
    scales.forEach((button, at) => button.setAttribute("aria-pressed", String(isLog() === (at === 0))));
    const series = lines();
    figure.hidden = !series.length;
    skeleton.hidden = series.length > 0 || !live;
    note.textContent = series.length ? caption() : live ? coming() : "Nothing has been recorded.";
    legend.replaceChildren(...series.map(({ label, style }) => h("li", {}, swatch(style), " ", label)));
    if (!series.length) return;
    const xTitle = catalogue.isLandscape(spec.problem) ? "update" : "epoch";
    chart.draw({
      series: () => lines(),
      xTitle,
      yTitle: fieldTitle(field()) + (weight() ? ", smoothed" : ""),
      logY: isLog(),
      legend: false,
    });
  }

  /** Give a line for each setting, in the order of the spec. */
  function lines() {
    const groups = [...histories.byLabel()];
    const styles = stylesOf(groups.map(([label]) => label));
    return groups
      .map(([label, runs], at) => ({ label: plainLabel(label), style: styles[at], ...band(runs, field()) }))
      .filter(({ x }) => x.length)
      .map((line) => (weight() ? { ...line, y: smoothed(line.y, weight()) } : line));
  }

  function stylesOf(labels) {
    return lineStyles(labels.map((label) => kindOf(label, spec)));
  }

  const coming = () =>
    many ? `The best ${MAX_LINES} settings are drawn when the job has ended.` : "Curves are drawn as rows come in.";

  /** Remove all rows, before all are sent again. */
  function begin() {
    live = true;
    histories.clear();
    draw();
  }

  function caption() {
    const said = [];
    const drawn = chosen?.settings.length ?? MAX_LINES;
    const each = chosen?.each ?? perSetting;
    if (many) said.push(`The ${drawn} settings with the best runs of ${numSettings.toLocaleString("en")}.`);
    if (each > 1)
      said.push(
        `Line: median of ${each < perSetting ? "the first " : ""}${count(each, "run")}; band: the middle half.`,
      );
    if (weight())
      said.push(`Lines are smoothed by an exponential mean of weight ${weight()}${each > 1 ? "; bands are not" : ""}.`);
    if (maxPoints()) said.push("Long histories are thinned; their extremes stay.");
    return said.join(" ");
  }

  show([field()]);
  return {
    element: h(
      "section",
      { "aria-label": "Curves" },
      h(
        "div",
        { class: "row" },
        h("div", { class: "row" }, h("label", { for: id }, "Show"), choose),
        h("div", { class: "row" }, h("label", { for: smoothId }, "Smoothing"), smoothing),
        h("div", { class: "group", role: "group", "aria-label": "Scale" }, scales),
      ),
      h("figure", { "aria-label": "Curves of the job" }, skeleton, figure, legend, h("figcaption", {}, note)),
    ),
    many,
    field,
    load,
    add,
    draw,
    offer,
    begin,
    clear: () => histories.clear(),
    points: maxPoints,
    /** The styles of settings by label, as they are drawn; null for those that are not. */
    styles() {
      const labels = [...histories.byLabel().keys()];
      const styles = stylesOf(labels);
      return new Map(labels.map((label, at) => [label, styles[at]]));
    },
  };
}

/** Find the kind of optimizer of a setting's label: the entry with the longest label that it begins with. */
function kindOf(label, { optimizers }) {
  const fits = optimizers.filter((entry) => label === labelOf(entry) || label.startsWith(`${labelOf(entry)} `));
  return fits.sort((one, other) => labelOf(other).length - labelOf(one).length)[0]?.kind;
}

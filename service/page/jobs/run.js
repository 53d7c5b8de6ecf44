// The page of a run: its setting, its end, its history with norms, its path, and its rows as files.
import { ApiError, ROOT, get } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { h } from "../dom.js";
import { racePath } from "../elsewhere.js";
import { follow } from "../events.js";
import { fieldTitle, isLinear } from "../fields.js";
import { short } from "../format.js";
import { Histories } from "../histories.js";
import { countUp, mark } from "../marks.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { isPlane, pathOfRun, pathPicture } from "../plot/pathpicture.js";
import { failure, loading } from "../states.js";
import { isOpen } from "../status.js";
import { outcome } from "./runs.js";

// Most rows of a history that are drawn; the files have all of them.
const MOST_POINTS = 1000;
/**
 * One figure for each: what is measured in one unit stands together.
 *
 * @type {[string, (name: string) => boolean][]}
 */
const GROUPS = [
  ["Loss", (name) => name.endsWith("loss")],
  ["Accuracy", (name) => name.endsWith("accuracy") || name.endsWith("r2")],
  ["Norms", (name) => name.endsWith("norm") || name.startsWith("distance")],
  ["Learning rate and momentum", (name) => name === "lr" || name === "momentum"],
  ["Measures", () => true],
];
const FORMATS = { CSV: "csv", NDJSON: "ndjson", Parquet: "parquet" };
// Colours of the curves of one figure, which are fields and no optimizers.
const KINDS = ["adamw", "momentum", "nesterov", "adam", "rmsprop", "adagrad"];

/** Show run number `index` of a job; ends when the signal aborts. */
export async function showRun(root, jobId, index, signal) {
  const found = await loading(root, read(root, jobId, index, signal));
  if (!found) return;
  const { job, catalogue } = found;
  let { run } = found;
  document.title = `Run ${index} of ${job.name} · Ravine`;
  const end = h("div", { class: "row", role: "status" });
  const facts = h("dl", { class: "facts" });
  const figures = h("div", { class: "figures" });
  const picture = pathPicture({ catalogue, signal });
  const hasPath = isPlane(job.spec.problem, catalogue);
  const race = racePath(raceOf(job.spec, run), catalogue);
  root.append(
    h(
      "header",
      { class: "head" },
      h("div", {}, h("h1", {}, `Run ${index}: ${run.label}, seed ${run.seed}`), end),
      h(
        "div",
        { class: "row acts" },
        race && h("a", { class: "button", href: ROOT + race }, "Race this setting"),
        neighbour(jobId, index - 1, "Previous run", index > 0),
        neighbour(jobId, index + 1, "Next run", index + 1 < job.progress.runs_total),
      ),
    ),
    h("p", {}, "A run of ", h("a", { href: `${ROOT}/jobs/${jobId}` }, job.name), "."),
    h(
      "div",
      { class: "desk" },
      h("div", {}, hasPath && picture.element, figures),
      h(
        "aside",
        { "aria-label": "About this run" },
        h("h2", {}, "Setting"),
        settingOf(run),
        h("h2", {}, "End"),
        facts,
        h("h2", {}, "Download"),
        downloads(run.id),
      ),
    ),
  );

  function tell() {
    mark(root, "status", run.status);
    end.replaceChildren(outcome(run, job.spec.epochs));
    const rows = [
      ["Epochs", run.epochs_done.toLocaleString("en")],
      ["Final loss", short(run.final_loss, 6)],
      ["Best loss", `${short(run.best_loss, 6)}${run.best_epoch === null ? "" : ` at epoch ${run.best_epoch.toLocaleString("en")}`}`],
      ["Id", h("code", {}, run.id)],
    ];
    facts.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  }

  const charts = new Map();

  async function draw() {
    const { run_id: _, ...rows } = await get(`/v1/runs/${run.id}/metrics?max_points=${MOST_POINTS}`, { signal });
    const history = new Histories().add([{ ...rows, run_id: run.id }]).runs.get(run.id);
    const names = Object.keys(history).filter((name) => name !== "epoch" && name !== "position" && holds(history[name]));
    const taken = new Set();
    for (const [title, fits] of GROUPS) {
      const fields = names.filter((name) => !taken.has(name) && fits(name));
      fields.forEach((name) => taken.add(name));
      if (fields.length) drawGroup(title, fields, history);
    }
    if (hasPath && history.position?.length) await drawPath(history);
    countUp(root, "drawn");
  }

  function drawGroup(title, fields, history) {
    if (!charts.has(title)) {
      const place = h("div", { class: "small" });
      figures.append(h("figure", {}, h("figcaption", {}, title), place));
      charts.set(title, curves(place, signal));
    }
    charts.get(title).draw({
      series: () => {
        const styles = lineStyles(KINDS);
        return fields.map((name, at) => ({
          label: fieldTitle(name),
          style: styles[at % styles.length],
          ...measured(history, name),
          low: null,
          high: null,
        }));
      },
      xTitle: catalogue.isLandscape(job.spec.problem) ? "step" : "epoch",
      yTitle: fields.length === 1 ? fieldTitle(fields[0]) : title.toLowerCase(),
      logY: isLinear(fields[0]) ? false : "auto",
    });
  }

  function drawPath(history) {
    const [style] = lineStyles([run.optimizer.kind]);
    const text = `Path of ${run.label} from (${run.start.map((one) => short(one)).join(", ")}).`;
    const paths = [pathOfRun(history, run.label, style)];
    return picture.draw({ problem: job.spec.problem, start: run.start, paths, text });
  }

  tell();
  try {
    await draw();
    if (!isOpen(job.status)) return;
    await follow(jobId, { fields: ["loss"], runs: [index], maxPoints: 2, signal, metrics: () => draw().catch(() => {}) });
    run = await get(`/v1/runs/${run.id}`, { signal });
    tell();
    await draw();
  } catch (error) {
    if (error.name !== "AbortError") figures.replaceChildren(failure(error));
  }
}

/** Read the job, the run and the catalogue; where one is not there, say so and give null. */
async function read(root, jobId, index, signal) {
  try {
    const [job, { runs }, catalogue] = await Promise.all([
      get(`/v1/jobs/${jobId}`, { signal }),
      get(`/v1/jobs/${jobId}/metrics?fields=loss&runs=${index}&max_points=2`, { signal }),
      getCatalogue(),
    ]);
    if (!runs.length) throw new ApiError(404, { title: "Not found", detail: `This job has no run ${index}.` });
    return { job, catalogue, run: await get(`/v1/runs/${runs[0].run_id}`, { signal }) };
  } catch (error) {
    if (error.status !== 404 && error.status !== 422) throw error;
    root.append(failure(error), h("p", { class: "gone" }, h("a", { href: `${ROOT}/jobs/${jobId}` }, "The job")));
    return null;
  }
}

/** Whether a column has anything to draw. */
const holds = (values) => Array.isArray(values) && values.some((value) => typeof value === "number");

/** Give the epochs at which a field was measured, and its values. */
function measured(history, name) {
  const { epoch, [name]: values } = history;
  const kept = epoch.map((_, at) => at).filter((at) => values[at] !== null && values[at] !== undefined);
  return { x: kept.map((at) => epoch[at]), y: kept.map((at) => values[at]) };
}

/** Give the spec of the race from the start of a run. */
function raceOf(spec, run) {
  const { starts, ...problem } = spec.problem;
  return { ...spec, problem: { ...problem, start: run.start ?? undefined }, optimizers: [run.optimizer] };
}

const neighbour = (jobId, index, name, isThere) =>
  isThere && h("a", { class: "button", href: `${ROOT}/jobs/${jobId}/runs/${index}` }, name);

/** List every hyper-parameter, defaults included, and the start. */
function settingOf({ optimizer, seed, start }) {
  const rows = [...Object.entries(optimizer), ["seed", seed], start && ["start", start]].filter(Boolean);
  return h(
    "dl",
    { class: "facts" },
    rows.flatMap(([name, value]) => [h("dt", {}, name.replaceAll("_", " ")), h("dd", {}, written(value))]),
  );
}

function written(value) {
  if (typeof value === "number") return short(value, 6);
  if (Array.isArray(value) && value.every((one) => typeof one === "number")) return value.map((one) => short(one, 6)).join(", ");
  return value === null ? "–" : typeof value === "object" ? h("code", {}, JSON.stringify(value)) : String(value);
}

const downloads = (id) =>
  h(
    "dl",
    { class: "facts downloads" },
    h("dt", {}, "Metrics"),
    h(
      "dd",
      { class: "row" },
      Object.entries(FORMATS).map(([text, format]) =>
        h("a", { class: "button", href: `${ROOT}/v1/runs/${id}/metrics?format=${format}`, "aria-label": `Metrics as ${text}`, download: true }, text),
      ),
    ),
  );

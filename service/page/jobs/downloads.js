// Downloads of a job: tables and pictures.
import { ROOT, getAll, save } from "../api.js";
import { h, note } from "../dom.js";
import { isTuned, varying } from "../grids.js";

// The server's kinds of plot; a test compares both lists.
export const PICTURES = {
  loss: "Curves",
  comparison: "Intervals",
  ranks: "Ranks",
  targets: "All targets",
  paths: "Paths",
  heatmap: "Heat map",
  tuning: "Trials",
  importance: "Importance",
};

/** Make the list of downloads of a job. */
export function downloads({ id, spec, finished_at }, catalogue) {
  const metrics = (format) => `/v1/jobs/${id}/metrics?format=${format}`;
  const report = (form) => `/v1/jobs/${id}/report?format=${form}`;
  const picture = (kind, form) => `/v1/jobs/${id}/plot.${form}?kind=${kind}`;
  const row = (name, files) => [
    h("dt", {}, name),
    h(
      "dd",
      { class: "row" },
      files.map(([text, source]) => file(`${name} as ${text}`, text, source)),
    ),
  ];
  return h(
    "dl",
    { class: "facts downloads" },
    row("Metrics", [
      ["CSV", metrics("csv")],
      ["NDJSON", metrics("ndjson")],
      ["Parquet", metrics("parquet")],
      ["JSON", () => allHistories(id)],
    ]),
    row("Runs", [["CSV", `/v1/jobs/${id}/runs?format=csv`]]),
    row("Report", [
      ["HTML", report("html")],
      ["Markdown", report("md")],
      ["LaTeX", report("tex")],
    ]),
    finished_at ? row("Bundle", [["ZIP", `/v1/jobs/${id}/bundle`]]) : [],
    fitting(spec, catalogue).flatMap((kind) =>
      row(PICTURES[kind], [
        ["SVG", picture(kind, "svg")],
        ["PNG", picture(kind, "png")],
      ]),
    ),
  );
}

/** Choose the pictures that a job can be drawn as. */
export function fitting({ problem, optimizers }, catalogue) {
  const plane = catalogue.isLandscape(problem) && (problem.eigenvalues?.length ?? 2) <= 2;
  return [
    "loss",
    "comparison",
    ...(optimizers.length > 1 ? ["ranks"] : []),
    "targets",
    ...(plane ? ["paths"] : []),
    ...(optimizers.some((entry) => varying(entry).length > 1) ? ["heatmap"] : []),
    ...(optimizers.some(isTuned) ? ["tuning", "importance"] : []),
  ];
}

/** Save the histories of all pages as one answer. */
async function allHistories(id) {
  const runs = await getAll(`/v1/jobs/${id}/metrics`, { items: "runs" });
  save(new Blob([JSON.stringify({ runs, next: null })], { type: "application/json" }), `${id}-metrics.json`);
}

/** Make a link to a file of the API: tables are saved, pictures and pages open in a tab. Or a button that makes the file. */
function file(name, text, source) {
  return typeof source === "string" ? link(name, text, source) : button(name, text, source);
}

function link(name, text, path) {
  const isShown = path.includes("/plot.") || path.endsWith("/report?format=html");
  const how = isShown ? { target: "_blank", rel: "noopener" } : { download: true };
  return h("a", { class: "button", href: ROOT + path, "aria-label": name, ...how }, text);
}

function button(name, text, act) {
  const element = h(
    "button",
    {
      type: "button",
      "aria-label": name,
      onclick: async () => {
        element.disabled = true;
        await act().catch((error) => note(error.message, 8));
        element.disabled = false;
      },
    },
    text,
  );
  return element;
}

// One cell of the map in detail: its setting, its number, and the curves of its runs beside those of the best cell.
import { ROOT, get } from "../api.js";
import { h } from "../dom.js";
import { short } from "../format.js";
import { Histories, band } from "../histories.js";
import { hyperParameterName, plainLabel } from "../labels.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { isPlane, pathOfRun, pathPicture } from "../plot/pathpicture.js";
import { racePath } from "../elsewhere.js";

// Most runs of a setting to read; median and quartiles need no more.
const MOST_RUNS = 100;

/** Make the detail: {element, show(grid, cell, best)}. */
export function cells({ catalogue, signal }) {
  const chart = h("div", { class: "detail" });
  const says = h("p", { class: "says", role: "status" });
  const way = h("p", { class: "way" });
  const picture = pathPicture({ catalogue, signal });
  const element = h("figure", { class: "cell", "aria-label": "Curves of the chosen cell" }, says, picture.element, way, chart);
  const drawn = curves(chart, signal);
  let asked = null;

  /** Read the runs of one cell: {id, label, runs, band}, the id that of its first run. */
  async function read(grid, [row, column], fields, by) {
    const first = grid.first_run[row][column];
    const indices = Array.from({ length: Math.min(grid.runs_per_setting, MOST_RUNS) }, (_, at) => first + at);
    const { runs } = await get(
      `/v1/jobs/${grid.job_id}/metrics?fields=${fields}&max_points=400&limit=500&runs=${indices.join(",")}`,
      { signal: by },
    );
    const known = [...new Histories().add(runs).runs.values()];
    return { id: runs[0]?.run_id, label: runs[0]?.label ?? "", runs: known, band: band(known, "loss") };
  }

  async function show(grid, cell, best, spec) {
    const { kind } = spec.optimizers.find(({ label }) => label === grid.label);
    asked?.abort();
    asked = new AbortController();
    const by = AbortSignal.any([signal, asked.signal]);
    const isBest = best && cell[0] === best[0] && cell[1] === best[1];
    says.textContent = tell(grid, cell) + (isBest ? " This is the cell with the smallest number." : "");
    try {
      const wanted = best && !isBest ? [cell, best] : [cell];
      const hasPaths = isPlane(spec.problem, catalogue);
      const fields = hasPaths ? "loss,position" : "loss";
      const found = await Promise.all(wanted.map((one) => read(grid, one, fields, by)));
      if (grid.others.length) says.textContent += ` Best of the others: ${plainLabel(found[0].label)}.`;
      // The best is drawn as its optimizer is everywhere; the chosen one beside it in another colour and dash.
      const styles = () => lineStyles(wanted.length === 2 ? [kind === "adamw" ? "momentum" : "adamw", kind] : [kind]);
      const labels = wanted.length === 2 ? ["chosen", "smallest"] : ["smallest"];
      way.replaceChildren();
      picture.element.hidden = !hasPaths || !found[0].runs[0]?.position?.length;
      if (!picture.element.hidden) await drawPaths(found, styles(), spec, by);
      await drawn.draw({
        series: () =>
          found.map((one, at) => ({
            label: isBest || at ? "smallest" : (labels[at] ?? "chosen"),
            style: styles()[at],
            ...one.band,
          })),
        xTitle: catalogue.isLandscape(spec.problem) ? "step" : "epoch",
        yTitle: "loss",
      });
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  }

  /** Draw the path of the first run of each cell from a common start, with a link to the race of the chosen one. */
  async function drawPaths(found, styles, spec, by) {
    const names = found.length === 2 ? ["chosen", "smallest"] : ["smallest"];
    const paths = found.flatMap(({ runs: [run] }, at) => (run?.position?.length ? [pathOfRun(run, names[at], styles[at])] : []));
    const { optimizer, start } = await get(`/v1/runs/${found[0].id}`, { signal: by });
    const text = `Path of ${found[0].label} from (${start.map((one) => short(one)).join(", ")}).`;
    await picture.draw({ problem: spec.problem, start, paths, text }, by);
    const { starts, ...problem } = spec.problem;
    const address = racePath({ ...spec, problem: { ...problem, start }, optimizers: [optimizer] }, catalogue);
    if (address) way.replaceChildren(h("a", { href: ROOT + address }, "Race this setting"));
  }

  return { element, show };
}

/** Describe a cell. */
export function tell(grid, [row, column]) {
  const value = grid.values[row][column];
  const where = `${hyperParameterName(grid.x.name)} ${short(grid.x.values[column])}, ${hyperParameterName(grid.y.name)} ${short(grid.y.values[row])}`;
  const of = grid.num_observations > 1 ? ` (median of ${grid.num_observations} runs)` : "";
  if (value === null) return `${where}: nothing recorded yet.`;
  if (grid.value === "diverged")
    return `${where}: ${Math.round(value * 100)} % of ${grid.num_observations} runs diverged.`;
  if (grid.value === "epochs_to_target")
    return `${where}: ${Number.isFinite(value) ? `${short(value)} epochs to loss ${short(grid.target)}${of}` : `loss ${short(grid.target)} is not reached`}.`;
  return `${where}: ${Number.isFinite(value) ? `final loss ${short(value)}${of}` : "diverged"}.`;
}

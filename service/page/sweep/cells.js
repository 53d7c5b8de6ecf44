// One cell of the map in detail: its setting, its number, and the curves of its runs beside those of the best cell.
import { get } from "../api.js";
import { h } from "../dom.js";
import { short } from "../format.js";
import { Histories, band } from "../histories.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";

// Most runs of a setting to read; median and quartiles need no more.
const MOST_RUNS = 100;

/** Make the detail: {element, show(grid, cell, best)}. */
export function cells({ catalogue, signal }) {
  const chart = h("div", { class: "detail" });
  const says = h("p", { class: "says", role: "status" });
  const element = h("figure", { class: "cell", "aria-label": "Curves of the chosen cell" }, says, chart);
  const drawn = curves(chart, signal);
  let asked = null;

  /** Read the curves of one cell: [settings' label, band]. */
  async function read(grid, [row, column], by) {
    const first = grid.first_run[row][column];
    const indices = Array.from({ length: Math.min(grid.runs_per_setting, MOST_RUNS) }, (_, at) => first + at);
    const { runs } = await get(
      `/v1/jobs/${grid.job_id}/metrics?fields=loss&max_points=400&limit=500&runs=${indices.join(",")}`,
      { signal: by },
    );
    const histories = new Histories().add(runs);
    return { label: runs[0]?.label ?? "", band: band([...histories.runs.values()], "loss") };
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
      const found = await Promise.all(wanted.map((one) => read(grid, one, by)));
      if (grid.others.length) says.textContent += ` Best of the others: ${found[0].label}.`;
      // The best is drawn as its optimizer is everywhere; the chosen one beside it in another colour and dash.
      const styles = () => lineStyles(wanted.length === 2 ? [kind === "adamw" ? "momentum" : "adamw", kind] : [kind]);
      const labels = wanted.length === 2 ? ["chosen", "smallest"] : ["smallest"];
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

  return { element, show };
}

/** Describe a cell. */
export function tell(grid, [row, column]) {
  const value = grid.values[row][column];
  const where = `${grid.x.name} ${short(grid.x.values[column])}, ${grid.y.name} ${short(grid.y.values[row])}`;
  const of = grid.num_observations > 1 ? ` (median of ${grid.num_observations} runs)` : "";
  if (value === null) return `${where}: nothing recorded yet.`;
  if (grid.value === "diverged")
    return `${where}: ${Math.round(value * 100)} % of ${grid.num_observations} runs diverged.`;
  if (grid.value === "epochs_to_target")
    return `${where}: ${Number.isFinite(value) ? `${short(value)} epochs to loss ${short(grid.target)}${of}` : `loss ${short(grid.target)} is not reached`}.`;
  return `${where}: ${Number.isFinite(value) ? `final loss ${short(value)}${of}` : "diverged"}.`;
}

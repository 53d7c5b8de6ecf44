// The result of a sweep: the map with its key, and the curves of the chosen cell.
import { ROOT, asCurl, get } from "../api.js";
import { mapWords } from "../depiction.js";
import { copy, h } from "../dom.js";
import { racePath } from "../elsewhere.js";
import { number } from "../format.js";
import { hyperParameterName } from "../labels.js";
import { heatmap } from "../plot/heatmap.js";
import { basins } from "./basins.js";
import { cells, tell } from "./cells.js";
import { coloured } from "./colours.js";
import { limitLines } from "./limits.js";
import { mapControls } from "./switches.js";
import { VALUES } from "./values.js";

/**
 * Make the result: {element, draw(job, state, by)}; `put(part)` takes what is chosen in it, `fail(error)` what went wrong.
 */
export function sweepResult({ catalogue, signal, put, fail }) {
  const map = heatmap({ signal, choose });
  const detail = cells({ catalogue, signal });
  const switches = mapControls({
    change: (part) => {
      put(part);
      draw(job, { ...state, ...part }).catch(fail);
    },
  });
  const legend = h("p", { class: "caption legend" });
  const says = h("p", { class: "says", role: "status", hidden: true });
  const links = h("div", { class: "row" });
  const parts = [switches.element, map.element, legend, says, detail.element, links];
  const element = h("section", { class: "result", hidden: true, "aria-label": "Result" }, parts);
  let job = null;
  let state = null;
  let grid = null;
  let basin = null;

  /** Read the numbers of a job and draw them. */
  async function draw(of, what, by = signal) {
    if (of?.id !== job?.id) grid = basin = null;
    [job, state] = [of, what];
    await (state.over === "starts" ? drawBasins(by) : drawGrid(by));
    if (by.aborted) return;
    links.replaceChildren(
      h("a", { href: `${ROOT}/jobs/${job.id}` }, "All of this job"),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => copy(asCurl("POST", "/v1/jobs", job.spec), "Command") },
        "Copy as curl",
      ),
    );
  }

  async function drawGrid(by) {
    const { value } = state;
    const target = state.target ?? job.spec.target_loss ?? usualTarget(grid);
    const query = new URLSearchParams({ value, ...(value === "epochs_to_target" ? { target } : {}) });
    const answer = await get(`/v1/jobs/${job.id}/grid?${query}`, { signal: by });
    const { optimizers, problem } = job.spec;
    const lines = await limitLines(
      catalogue,
      problem,
      optimizers.find(({ label }) => label === answer.label),
      answer,
      by,
    );
    if (by.aborted) return;
    grid = { ...answer, values: answer.values.map((row) => row.map(number)) };
    const best = bestOf(grid);
    const isLost = (one) => one === Infinity || (value === "diverged" && one > 0.5);
    const lost = grid.values.flatMap((row, at) =>
      row.flatMap((one, column) => (isLost(one) ? [[at, column, "lost"]] : [])),
    );
    element.hidden = detail.element.hidden = false;
    says.hidden = true;
    switches.show({ value, target }, true);
    const signs = [
      lost.length && [key("lost"), ` ${VALUES[value].lost}`],
      best && ["◎ smallest median"],
      lines.length && ["┄ limit of stability, by theory"],
      ["Click a cell, or use the arrow keys."],
    ];
    legend.replaceChildren(...signs.filter(Boolean).map((sign) => h("span", {}, sign)));
    const cell = inside(state.cell) ? state.cell : best;
    map.select(cell === best ? null : cell);
    const [x, y] = [grid.x, grid.y].map(({ name, values }) => ({ title: hyperParameterName(name), values }));
    await map.draw({
      x,
      y,
      ...coloured(grid.values, value),
      hatches: lost,
      best,
      lines,
      tell: (one) => tell(grid, one),
      label: [
        mapWords(`Heat map of ${VALUES[value].title}`, { x, y, values: grid.values, isLost, lost: VALUES[value].lost }),
        best && `The smallest: ${tell(grid, best)}`,
        "Arrow keys choose a cell.",
      ]
        .filter(Boolean)
        .join(" "),
    });
    if (cell) await detail.show(grid, cell, best, job.spec);
    else detail.element.hidden = true;
  }

  async function drawBasins(by) {
    const found = await basins(job, by);
    if (by.aborted) return;
    basin = found;
    element.hidden = false;
    says.hidden = detail.element.hidden = true;
    switches.show(state, false);
    legend.replaceChildren(
      ...basin.legend.map(({ text, colour, pattern }) => h("span", {}, key(pattern ?? "plain", colour), ` ${text}`)),
    );
    map.select(null);
    await map.draw(basin.map);
    if (state.cell) choose(state.cell);
  }

  const inside = (cell) => cell && grid.values[cell[0]]?.[cell[1]] !== undefined;

  function choose(cell) {
    state = { ...state, cell };
    put({ cell });
    map.select(cell);
    if (basin) {
      says.hidden = false;
      says.replaceChildren(
        `A run ${basin.map.tell(cell)}. `,
        h("a", { href: raceFrom(job.spec, basin.startAt(cell), catalogue) }, "Race from there"),
      );
    } else if (grid) detail.show(grid, cell, bestOf(grid), job.spec).catch(fail);
  }

  return { element, draw };
}

/** Give the address of a race from a start, on the same problem with the same optimizer. */
function raceFrom({ problem: { starts, ...problem }, optimizers: [{ label, ...optimizer }], epochs }, start, catalogue) {
  const seeds = { first: 0, count: 1 };
  const race = { problem: { ...problem, start }, optimizers: [spoken(optimizer)], epochs: Math.min(epochs, 2000), seeds };
  return ROOT + racePath(race, catalogue);
}

const spoken = (one) =>
  Object.fromEntries(Object.entries(one).filter(([, value]) => typeof value === "number" || typeof value === "string"));

const key = (pattern, colour) =>
  h("i", { class: `key ${pattern}`, style: colour ? { "background-color": colour } : {}, "aria-hidden": "true" });

/** Choose a default target: a quarter of the settings with a finite loss end below it. */
function usualTarget(grid) {
  const finite = (grid?.value === "final_loss" ? grid.values.flat() : []).filter(
    (one) => one !== null && Number.isFinite(one),
  );
  return finite.length ? Number(finite.sort((one, other) => one - other)[finite.length >> 2].toPrecision(2)) : 1;
}

/** Find the cell with the smallest number; the share that diverged has none. */
function bestOf({ value, values }) {
  let best = null;
  if (value === "diverged") return best;
  values.forEach((row, at) =>
    row.forEach((one, column) => {
      if (one !== null && Number.isFinite(one) && (!best || one < values[best[0]][best[1]])) best = [at, column];
    }),
  );
  return best;
}

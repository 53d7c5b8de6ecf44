// Many settings at once: a map over two of them, the curves of each cell, and where theory sees the limit.
import { ApiError, ROOT, asCurl, get, getOnce, post } from "../api.js";
import { examples } from "../controls/examples.js";
import { progressLine } from "../controls/progress.js";
import { tidied } from "../controls/tidy.js";
import { copy, h } from "../dom.js";
import { follow } from "../events.js";
import { number, short } from "../format.js";
import { heatmap } from "../plot/heatmap.js";
import { calm, complain, empty, failure } from "../states.js";
import { basins } from "./basins.js";
import { cells, tell as tellCell } from "./cells.js";
import { coloured } from "./colours.js";
import { limitLines } from "./limits.js";
import { settings } from "./settings.js";
import { firstState, readState, specOf, stateOf, writeState } from "./state.js";
import { mapControls } from "./switches.js";

const PAUSE_MS = 700;
const PRESETS = ["beta-small", "large-batch-32", "convex-one-minimum-himmelblau", "momentum-escapes"];

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  let state = readState();
  let asked = null;
  let job = null;
  let grid = null;
  let basin = null;

  const problems = h("div", { class: "problems" });
  const place = h("div", { class: "place" });
  const progress = progressLine({ cancel: () => post(`/v1/jobs/${job.id}/cancel`, undefined, { signal }).catch(tell) });
  const map = heatmap({ signal, choose });
  const detail = cells({ signal });
  const switches = mapControls({
    change: (part) => {
      state = { ...state, ...part };
      writeState(state);
      drawGrid().catch(tell);
    },
  });
  const legend = h("p", { class: "caption legend" });
  const links = h("div", { class: "row" });
  const result = h(
    "section",
    { class: "result", hidden: true, "aria-label": "Result" },
    switches.element,
    map.element,
    legend,
    detail.element,
    links,
  );
  const panel = await settings({ state, change, run, signal });
  if (signal.aborted) return;
  root.append(
    h("h1", { class: "sr-only" }, "Sweep"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, problems, place, progress.element, result),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
  );

  function change(part) {
    state = { ...state, ...part, job: null, cell: null };
    writeState(state);
    if (job) root.dataset.stale = "yes";
  }

  async function open(next) {
    state = { ...state, ...next, job: null, cell: null };
    await panel.set(state);
    await run();
  }

  async function run() {
    calm(root);
    problems.replaceChildren();
    asked?.abort();
    try {
      const posted = await post("/v1/jobs", specOf(state), { signal });
      state = { ...state, job: posted.id, cell: null };
      writeState(state, { step: true });
      await watch(posted);
    } catch (error) {
      tell(error);
    }
  }

  /** Follow a job to its end; the map is read again while cells come in. */
  async function watch(found) {
    const mine = (asked = new AbortController());
    signal.addEventListener("abort", () => mine.abort());
    job = found;
    grid = basin = null;
    result.hidden = true;
    delete root.dataset.stale;
    root.dataset.job = found.id;
    root.dataset.status = found.status;
    progress.begin();
    place.replaceChildren(h("div", { class: "skeleton large", "aria-hidden": "true" }));
    let timer = null;
    const again = () => {
      timer = null;
      if (!mine.signal.aborted && state.over === "settings") drawGrid(mine.signal).catch(tell);
    };
    // One run's rows are enough to hear of the progress; the map has its numbers from elsewhere.
    const ended = await follow(found.id, {
      fields: ["loss"],
      runs: [0],
      maxPoints: 2,
      signal: mine.signal,
      status: (status) => {
        root.dataset.status = status;
      },
      progress: (news) => {
        progress.show(news);
        if (news.epochs_done) timer ??= setTimeout(again, PAUSE_MS);
      },
    });
    clearTimeout(timer);
    job = ended;
    progress.end();
    if (ended.error)
      problems.replaceChildren(failure({ title: "The job failed", message: ended.error.detail ?? ended.error.reason }));
    if (ended.status === "cancelled")
      problems.replaceChildren(h("p", { class: "caption" }, "Cancelled: what was trained until then is shown."));
    await (state.over === "starts" ? drawBasins(mine.signal) : drawGrid(mine.signal));
    root.dataset.status = ended.status;
    root.dataset.swept = String(Number(root.dataset.swept ?? 0) + 1);
  }

  /** Read the numbers of the map and draw them; the chosen cell's curves with them. */
  async function drawGrid(by = signal) {
    if (!job || state.over !== "settings") return;
    const target = state.target ?? job.spec.target_loss ?? usualTarget();
    const query = new URLSearchParams({
      value: state.value,
      ...(state.value === "epochs_to_target" && target !== null ? { target } : {}),
    });
    const answer = await get(`/v1/jobs/${job.id}/grid?${query}`, { signal: by });
    if (by.aborted) return;
    grid = { ...answer, values: answer.values.map((row) => row.map(number)) };
    place.replaceChildren();
    result.hidden = false;
    detail.element.hidden = false;
    switches.show({ ...state, target }, true);
    const best = state.value === "diverged" ? null : bestOf(grid.values);
    const {
      optimizers: [optimizer],
      problem,
    } = job.spec;
    const lines = await limitLines(problem, optimizer, grid, by);
    const lost = grid.values.flatMap((row, at) =>
      row.flatMap((one, column) =>
        one === Infinity || (state.value === "diverged" && one > 0.5) ? [[at, column, "lost"]] : [],
      ),
    );
    const words =
      state.value === "epochs_to_target"
        ? "target missed"
        : state.value === "diverged"
          ? "most runs diverged"
          : "diverged";
    legend.replaceChildren(
      ...[
        lost.length ? [key("lost"), ` ${words}`] : [],
        best ? ["◎ best"] : [],
        lines.length ? ["┄ limit of stability, by theory"] : [],
        ["Click a cell, or use the arrow keys."],
      ].map((parts) => h("span", {}, parts)),
    );
    await map.draw({
      x: { title: grid.x.name, values: grid.x.values },
      y: { title: grid.y.name, values: grid.y.values },
      ...coloured(grid.values, state.value),
      hatches: lost,
      best,
      lines,
      tell: (cell) => tellCell(grid, cell),
      label: `Heat map of ${state.value.replaceAll("_", " ")} over ${grid.x.name} and ${grid.y.name}. ${best ? `The best: ${tellCell(grid, best)}` : ""} ${lost.length} cells: ${words}. Arrow keys choose a cell.`,
    });
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
    showLinks();
    const cell = state.cell && grid.values[state.cell[0]]?.[state.cell[1]] !== undefined ? state.cell : best;
    map.select(cell === best ? null : cell);
    if (cell) await detail.show(grid, cell, best, optimizer.kind);
  }

  /** Choose what a target could be where none was named: ten times the best loss, which some cells reach and some do not. */
  function usualTarget() {
    const finite =
      grid?.value === "final_loss"
        ? grid.values
            .flat()
            .filter((one) => one !== null && Number.isFinite(one))
            .sort((one, other) => one - other)
        : [];
    if (finite.length) state.target = Number(finite[Math.floor(finite.length / 4)].toPrecision(2));
    return state.target ?? 1;
  }

  async function drawBasins(by) {
    basin = await basins(job, by);
    if (by.aborted) return;
    place.replaceChildren();
    result.hidden = false;
    detail.element.hidden = true;
    switches.show(state, false);
    legend.replaceChildren(
      ...basin.legend.map(({ text, colour, pattern }) => h("span", {}, key(pattern ?? "plain", colour), ` ${text}`)),
    );
    await map.draw(basin.map);
    root.dataset.drawn = String(Number(root.dataset.drawn ?? 0) + 1);
    showLinks();
    if (state.cell) choose(state.cell);
  }

  function choose(cell) {
    state.cell = cell;
    writeState(state);
    map.select(cell);
    if (basin) {
      detail.element.hidden = false;
      detail.start(job.id, basin.runAt(cell), basin.map.tell(cell), job.spec.optimizers[0].kind).catch(tell);
    } else if (grid)
      detail
        .show(grid, cell, state.value === "diverged" ? null : bestOf(grid.values), job.spec.optimizers[0].kind)
        .catch(tell);
  }

  const key = (pattern, colour) =>
    h("i", { class: `key ${pattern}`, style: colour ? { background: colour } : {}, "aria-hidden": "true" });

  function showLinks() {
    links.replaceChildren(
      h("a", { href: `${ROOT}/jobs/${job.id}` }, "All of this job"),
      h(
        "button",
        { type: "button", class: "quiet", onclick: () => copy(asCurl("POST", "/v1/jobs", job.spec), "Command") },
        "Copy as curl",
      ),
    );
  }

  function tell(error) {
    if (error.name === "AbortError" || signal.aborted) return;
    if (!(error instanceof ApiError)) console.error(error);
    progress.end();
    for (const skeleton of place.querySelectorAll(".skeleton")) skeleton.remove();
    const rest = complain(root, error);
    problems.replaceChildren(
      rest.length || !error.errors?.length ? failure({ title: error.title, message: error.message, errors: rest }) : "",
    );
  }

  async function offer() {
    const known = (await getOnce("/v1/presets")).items;
    const preset = async (name) => stateOf((await get(`/v1/presets/${name}`, { signal })).spec);
    const cards = [
      {
        title: "Rate and momentum on the ravine",
        sentence: "625 settings: how far may the rate go, and what does momentum buy?",
        open: () => open(firstState()),
      },
      {
        title: "Adam on FlipNet",
        sentence: "Rate and β₁, 20 by 20 settings, 10 seeds each.",
        open: () =>
          open(
            firstState({
              problem: { kind: "flipnet" },
              optimizer: { kind: "adam" },
              epochs: 30,
              seeds: 10,
              x: { name: "lr", from: 0.0005, to: 0.5, num: 20, scale: "log" },
              y: { name: "beta1", from: 0, to: 0.95, num: 20, scale: "linear" },
            }),
          ),
      },
      ...known
        .filter(({ name }) => PRESETS.includes(name))
        .map(({ name, title, sentence }) => ({ title, sentence, open: () => preset(name).then(open).catch(tell) })),
    ];
    place.replaceChildren(
      empty(
        "Which settings are good, and how near are those that diverge?",
        h(
          "p",
          { class: "lead" },
          "Choose a problem, an optimizer and two ranges; every setting is trained, all at once. Or begin with one of these.",
        ),
        examples(cards),
      ),
    );
  }

  async function resume() {
    try {
      const found = await get(`/v1/jobs/${state.job}`, { signal });
      const read = stateOf(await tidied(found.spec));
      if (!read) {
        return place.replaceChildren(
          empty(
            "This job has no grid",
            h(
              "p",
              {},
              `${found.name} sweeps neither two settings nor starts. `,
              h("a", { href: `${ROOT}/jobs/${found.id}` }, "See it among the jobs"),
            ),
          ),
        );
      }
      if (state.isBare) {
        state = { ...state, ...read, job: found.id, cell: state.cell, value: state.value, target: state.target };
        await panel.set(state);
      }
      await watch(found);
    } catch (error) {
      if (error.status !== 404) return tell(error);
      const id = state.job;
      state.job = null;
      place.replaceChildren(
        empty(
          "This job is gone",
          h(
            "p",
            { class: "lead" },
            `There is no job ${id} any more. Its settings are beside this: the same seeds give the same map.`,
          ),
          h("button", { type: "button", class: "main", onclick: run }, "Run the sweep again"),
        ),
      );
    }
  }

  if (state.job) await resume();
  else await offer();
}

/** Find the cell with the smallest number. */
function bestOf(values) {
  let best = null;
  values.forEach((row, at) =>
    row.forEach((one, column) => {
      if (one !== null && Number.isFinite(one) && (!best || one < values[best[0]][best[1]])) best = [at, column];
    }),
  );
  return best;
}

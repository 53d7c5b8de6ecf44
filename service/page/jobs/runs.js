// The runs of a job, fifty a page: sorted, and filtered by status and label.
import { changeAddress, readAddress } from "../address.js";
import { ROOT, get } from "../api.js";
import { h, newId } from "../dom.js";
import { short } from "../format.js";
import { labelOf, plainLabel } from "../labels.js";
import { numStarts } from "../seeds.js";
import { failure } from "../states.js";
import { RUN_STATUSES, chip } from "../status.js";
import { named } from "../plot/swatch.js";
import { line, table } from "../table.js";

const PAGE = 50;
const SORTS = { index: "Run", final_loss: "Final loss", best_loss: "Best loss" };

/** Make the table of a job's runs: `{element, load()}`. */
export function runsTable(jobId, spec, styles, signal) {
  const labels = spec.optimizers.map(labelOf);
  const sorter = (sort) =>
    h("button", { type: "button", onclick: () => change({ sort: sort === "index" ? null : sort }) }, SORTS[sort]);
  const columns = [
    { name: sorter("index"), cell: ({ index }) => runLink(jobId, index), number: true },
    { name: "Setting", cell: ({ label }) => named(label, styles()), row: true },
    { name: "Seed", cell: ({ seed }) => String(seed), number: true },
    { name: "Start", cell: ({ start }) => start && `(${start.map((value) => short(value)).join(", ")})`, many: true },
    { name: "Status", cell: (run) => outcome(run, spec.epochs) },
    { name: "Epochs", cell: (run) => run.epochs_done.toLocaleString("en"), number: true },
    { name: sorter("final_loss"), cell: (run) => short(run.final_loss, 4), number: true },
    { name: sorter("best_loss"), cell: (run) => short(run.best_loss, 4), number: true },
    { name: "at epoch", cell: (run) => run.best_epoch?.toLocaleString("en"), number: true },
  ].filter(({ many }) => !many || numStarts(spec.problem) > 1);
  const figures = table("Runs of the job", columns, []);
  const body = figures.querySelector("tbody");
  const trouble = h("div", {});
  const pages = h("div", { class: "row pages" });
  // Cursors of the pages before this one, so that one can go back.
  let before = [];
  let asked = 0;

  const select = (title, name, options) => {
    const id = newId(name);
    const control = h(
      "select",
      {
        id,
        value: readAddress().get(name) ?? "",
        "data-field": name,
        onchange: () => change({ [name]: control.value }),
      },
      h("option", { value: "" }, "all"),
      options.map((value) => h("option", { value }, plainLabel(value))),
    );
    return h("div", { class: "field" }, h("label", { for: id }, title), control);
  };
  const element = h(
    "section",
    { class: "panel runs", "aria-label": "Runs" },
    h("h2", {}, "Runs"),
    h(
      "div",
      { class: "row" },
      select("Status", "status", RUN_STATUSES),
      labels.length > 1 ? select("Optimizer", "label", labels) : null,
    ),
    trouble,
    figures,
    pages,
  );

  async function change(values) {
    before = [];
    changeAddress({ ...values, runs: null });
    await load();
  }

  async function turn(cursor) {
    changeAddress({ runs: cursor });
    await load();
  }

  async function load() {
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const name of ["sort", "status", "label"])
      if (readAddress().get(name)) query.set(name, readAddress().get(name));
    const cursor = readAddress().get("runs");
    if (cursor) query.set("cursor", cursor);
    const mine = (asked += 1);
    try {
      const { items, next } = await get(`/v1/jobs/${jobId}/runs?${query}`, { signal });
      if (mine !== asked) return;
      trouble.replaceChildren();
      show(items, next, cursor);
    } catch (error) {
      if (error.name !== "AbortError") trouble.replaceChildren(failure(error));
    }
  }

  function show(items, next, cursor) {
    const sort = readAddress().get("sort") ?? "index";
    for (const button of figures.querySelectorAll("th button")) {
      const isIt = button.textContent === SORTS[sort];
      button.closest("th").setAttribute("aria-sort", isIt ? "ascending" : "none");
    }
    body.replaceChildren(...items.map((run) => line(columns, run)));
    if (!items.length) body.append(h("tr", {}, h("td", { colspan: columns.length }, "No run is like that.")));
    const back = () => turn(before.pop() ?? null);
    const forth = () => {
      before.push(cursor);
      return turn(next);
    };
    pages.replaceChildren(
      ...(cursor
        ? [h("button", { type: "button", onclick: back }, before.length ? "Previous runs" : "First runs")]
        : []),
      ...(next ? [h("button", { type: "button", onclick: forth }, "Next runs")] : []),
    );
  }

  return { element, load };
}

const runLink = (jobId, index) =>
  h("a", { href: `${ROOT}/jobs/${jobId}/runs/${index}`, "aria-label": `Run ${index}` }, String(index));

/** Show how a run stands or ended. */
export function outcome({ status, diverged_epoch: diverged, epochs_done: done }, epochs) {
  if (diverged !== null) return chip("diverged", `diverged at ${diverged}`);
  return status === "cancelled" && done ? chip(status, `stopped after epoch ${done} of ${epochs}`) : chip(status);
}

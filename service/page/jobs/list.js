// The list of jobs: newest first, live while some of them run.
import { changeAddress, readAddress } from "../address.js";
import { ROOT, asCurl, get, getOnce, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { progressBar } from "../controls/progress.js";
import { copy, h, newId } from "../dom.js";
import { moment } from "../format.js";
import { countUp, mark } from "../marks.js";
import { go } from "../navigation.js";
import { empty, failure, loading } from "../states.js";
import { STATUSES, chips, isOpen, took } from "../status.js";
import { cancelJob, deleteJob } from "./actions.js";
import { summary } from "./words.js";

const PAGE = 25;
const BUSY_MS = 2_000;
const IDLE_MS = 15_000;
// Cheap examples of different kinds: paths on a surface, two hundred seeds, a grid of learning rates.
const FIRST = ["ravine-race", "flipnet-half", "speedup-3-5"];
const FILTERS = ["status", "name", "problem"];

/** Show the list; ends when the signal aborts. */
export async function showList(root, signal) {
  const catalogue = await loading(root, getCatalogue());
  const rows = new Map();
  const list = h("ul", { class: "jobs" });
  const place = h("div", { class: "place" }, h("div", { class: "skeleton", style: { height: "320px" } }));
  const trouble = h("div", {});
  const pages = h("nav", { class: "row pages", "aria-label": "Pages of jobs" });
  let wait = null;
  let asking = null;

  const filters = h(
    "form",
    { class: "row filters", role: "search", "aria-label": "Filter jobs", onsubmit: (event) => event.preventDefault() },
    choice(
      "Status",
      "status",
      STATUSES.map((name) => [name, name]),
      filtered,
    ),
    choice(
      "Problem",
      "problem",
      catalogue.problems.map(({ kind, title }) => [kind, title]),
      filtered,
    ),
    search(filtered),
  );
  root.append(h("h1", {}, "Jobs"), filters, trouble, place, pages);

  async function filtered(name, value) {
    changeAddress({ [name]: value, cursor: null });
    await load();
  }

  /** Ask for the page of the address, and show it; rows that are there already are only brought up to date. */
  async function load() {
    asking?.abort();
    const mine = (asking = new AbortController());
    const query = new URLSearchParams([["limit", PAGE], ...readAddress()]);
    try {
      const page = await get(`/v1/jobs?${query}`, { signal: AbortSignal.any([signal, mine.signal]) });
      trouble.replaceChildren();
      await draw(page);
    } catch (error) {
      if (error.name !== "AbortError") trouble.replaceChildren(failure(error));
    }
    clearTimeout(wait);
    const pace = [...rows.values()].some(({ job }) => isOpen(job.status)) ? BUSY_MS : IDLE_MS;
    if (!signal.aborted) wait = setTimeout(() => (document.hidden ? null : load()), pace);
  }

  async function draw({ items, next }) {
    for (const [id, row] of rows) {
      if (items.some((job) => job.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    items.forEach((job, at) => {
      if (!rows.has(job.id)) rows.set(job.id, rowOf(job.name, catalogue, load));
      const row = rows.get(job.id);
      row.show(job);
      if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
    });
    const query = readAddress();
    const isFiltered = FILTERS.some((name) => query.get(name));
    if (items.length) place.replaceChildren(list);
    else if (isFiltered || query.has("cursor")) place.replaceChildren(nothing(isFiltered));
    else if (!place.querySelector(".empty")) place.replaceChildren(await first(signal));
    const address = (cursor) => {
      const kept = new URLSearchParams(query);
      if (cursor) kept.set("cursor", cursor);
      else kept.delete("cursor");
      return `${ROOT}/jobs${kept.size ? `?${kept}` : ""}`;
    };
    pages.replaceChildren(
      ...(query.has("cursor") ? [h("a", { class: "button", href: address(null) }, "Newest")] : []),
      ...(next ? [h("a", { class: "button", href: address(next) }, "Older")] : []),
    );
    countUp(root, "drawn");
  }

  signal.addEventListener("abort", () => clearTimeout(wait));
  document.addEventListener("visibilitychange", () => document.hidden || load(), { signal });
  await load();
}

/** One job in the list: give `{element, job, show(job)}`. */
function rowOf(name, catalogue, reload) {
  const title = h("a", { class: "title" });
  const words = h("div", { class: "caption" });
  const state = h("div", { class: "state" });
  const course = h("div", { class: "course" });
  const time = h("time", { class: "caption" });
  const act = h("button", { type: "button", class: "quiet" });
  const bar = progressBar(name);
  const element = h("li", {}, h("div", { class: "what" }, title, words), state, course, time, act);
  const row = { element, job: null, show };

  function show(job) {
    const before = row.job;
    row.job = job;
    if (isOpen(job.status)) bar.show(job);
    if (JSON.stringify(before) === JSON.stringify(job)) return;
    const { runs_total: runs } = job.progress;
    mark(element, "job", job.id);
    title.textContent = job.name;
    title.href = `${ROOT}/jobs/${job.id}`;
    words.textContent = summary(job.spec, catalogue);
    time.textContent = moment(job.created_at);
    time.dateTime = job.created_at;
    state.replaceChildren(...chips(job).filter(Boolean));
    const ended = h(
      "span",
      { class: "caption" },
      [`${runs.toLocaleString("en")} ${runs === 1 ? "run" : "runs"}`, took(job)].filter(Boolean).join(", "),
    );
    const reason = job.error ? h("span", { class: "caption" }, job.error.detail ?? job.error.reason) : null;
    course.replaceChildren(isOpen(job.status) ? bar.element : (reason ?? ended));
    const verb = isOpen(job.status) ? "Cancel" : "Delete";
    act.textContent = verb;
    act.disabled = job.status === "cancelling";
    act.setAttribute("aria-label", `${verb} ${job.name}`);
    act.onclick = async () => {
      const done = isOpen(row.job.status) ? await cancelJob(row.job) : await deleteJob(row.job);
      if (done) await reload();
    };
  }

  return row;
}

function choice(title, name, options, change) {
  const id = newId(name);
  const all = h("option", { value: "" }, "all");
  const select = h(
    "select",
    { id, value: readAddress().get(name) ?? "", "data-field": name, onchange: () => change(name, select.value) },
    all,
    options.map(([value, text]) => h("option", { value }, text)),
  );
  return h("div", { class: "field" }, h("label", { for: id }, title), select);
}

function search(change) {
  const id = newId("name");
  let typed = null;
  const input = h("input", {
    id,
    type: "search",
    maxlength: 200,
    value: readAddress().get("name") ?? "",
    "data-field": "name",
    oninput: () => {
      clearTimeout(typed);
      typed = setTimeout(() => change("name", input.value), 250);
    },
  });
  return h("div", { class: "field" }, h("label", { for: id }, "Name contains"), input);
}

const nothing = (isFiltered) =>
  empty(
    isFiltered ? "No job is like that" : "There are no older jobs",
    h("a", { class: "button", href: `${ROOT}/jobs` }, "Show all jobs"),
  );

/** Show examples if there is no job. */
async function first(signal) {
  const { items } = await getOnce("/v1/presets");
  const cards = FIRST.map((name) => items.find((one) => one.name === name))
    .filter(Boolean)
    .map((preset) => {
      const trouble = h("div", {});
      const run = async () => {
        try {
          const { id } = await post("/v1/jobs", { preset: preset.name }, { signal });
          go(`/jobs/${id}`);
        } catch (error) {
          trouble.replaceChildren(failure(error));
        }
      };
      return h(
        "section",
        { class: "card" },
        h("h3", {}, preset.title),
        h("p", {}, preset.sentence),
        h("button", { type: "button", class: "main", "aria-label": `Run: ${preset.title}`, onclick: run }, "Run"),
        trouble,
      );
    });
  const command = asCurl("POST", "/v1/jobs", { preset: FIRST[0] });
  return empty(
    "No jobs yet",
    h(
      "p",
      {},
      "A job trains optimizers on the same problem, from the same seeds, and says which wins. Three to begin with:",
    ),
    h("div", { class: "cards" }, cards),
    h("p", {}, "The same from a shell:"),
    h(
      "div",
      { class: "command" },
      h("code", {}, command),
      h("button", { type: "button", onclick: () => copy(command, "Command") }, "Copy"),
    ),
  );
}

// The list of jobs, live while some of them run.
import { changeAddress, readAddress } from "../address.js";
import { ROOT } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { countUp } from "../marks.js";
import { empty, failure, loading } from "../states.js";
import { isOpen } from "../status.js";
import { FILTERS, filterForm } from "./filters.js";
import { first } from "./first.js";
import { jobsPage } from "./races.js";
import { rowOf } from "./row.js";
import { selection } from "./selection.js";

const PAGE = 25;
const BUSY_MS = 2_000;
const IDLE_MS = 15_000;

/** Show the list; ends when the signal aborts. */
export async function showList(root, signal) {
  const catalogue = await loading(root, getCatalogue());
  const rows = new Map();
  const list = h("ul", { class: "jobs" });
  const place = h("div", { class: "place" }, h("div", { class: "skeleton", style: { height: "320px" } }));
  const trouble = h("div", {});
  const races = h("p", { class: "caption" });
  const pages = h("nav", { class: "row pages", "aria-label": "Pages of jobs" });
  let wait = null;
  let asking = null;

  const selected = selection({ changed: () => load(), redraw: () => rows.forEach((row) => row.show(row.job)) });
  root.append(h("h1", {}, "Jobs"), filterForm(catalogue, filtered), selected.element, trouble, place, pages, races);

  async function filtered(name, value) {
    changeAddress({ [name]: value, cursor: null });
    await load();
  }

  /** Ask for the page of the address, and show it; rows that are there already are only brought up to date. */
  async function load() {
    asking?.abort();
    const mine = (asking = new AbortController());
    const address = readAddress();
    const query = new URLSearchParams({ limit: String(PAGE) });
    for (const name of [...FILTERS, "sort", "cursor"]) if (address.get(name)) query.set(name, address.get(name));
    try {
      const either = AbortSignal.any([signal, mine.signal]);
      const page = await jobsPage(query, { races: address.get("races") === "1", signal: either });
      trouble.replaceChildren();
      await draw(page);
    } catch (error) {
      if (error.name !== "AbortError") trouble.replaceChildren(failure(error));
    }
    clearTimeout(wait);
    const pace = [...rows.values()].some(({ job }) => isOpen(job.status)) ? BUSY_MS : IDLE_MS;
    if (!signal.aborted) wait = setTimeout(() => (document.hidden ? null : load()), pace);
  }

  async function draw({ items, next, hidden }) {
    selected.seen(items);
    for (const [id, row] of rows) {
      if (items.some((job) => job.id === id)) continue;
      row.element.remove();
      rows.delete(id);
    }
    items.forEach((job, at) => {
      if (!rows.has(job.id)) rows.set(job.id, rowOf(job.name, { catalogue, reload: load, ...selected.of(job.id) }));
      const row = rows.get(job.id);
      row.show(job);
      if (list.children[at] !== row.element) list.insertBefore(row.element, list.children[at] ?? null);
    });
    const query = readAddress();
    const isSorted = query.has("sort");
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
      ...(query.has("cursor") ? [h("a", { class: "button", href: address(null) }, isSorted ? "First" : "Newest")] : []),
      ...(next ? [h("a", { class: "button", href: address(next) }, isSorted ? "Next" : "Older")] : []),
    );
    races.replaceChildren(...(hidden ? [hiddenWords(hidden)] : []));
    countUp(root, "drawn");
  }

  signal.addEventListener("abort", () => clearTimeout(wait));
  document.addEventListener("visibilitychange", () => document.hidden || load(), { signal });
  await load();
}

const nothing = (isFiltered) =>
  empty(
    isFiltered ? "No jobs match" : "There are no older jobs",
    h("a", { class: "button", href: `${ROOT}/jobs` }, "Show all jobs"),
  );

const hiddenWords = (num) =>
  `${count(num, "race")} ${num === 1 ? "is" : "are"} not shown. Jobs of races are deleted an hour after their end.`;

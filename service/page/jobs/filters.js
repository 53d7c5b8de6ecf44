// The filters and the order of the list of jobs, kept in the address.
import { readAddress } from "../address.js";
import { h, newId } from "../dom.js";
import { STATUSES } from "../status.js";

/** Filters that the API has, in the query of the address and of the request. */
export const FILTERS = ["status", "problem", "name", "tag"];
// Orders that the API has.
const ORDERS = { created: "newest first", name: "by name", longest: "longest first", runs: "most runs first" };

/** Make the form; `change(name, value)` follows each change. */
export const filterForm = (catalogue, change) =>
  h(
    "form",
    { class: "row filters", role: "search", "aria-label": "Filter jobs", onsubmit: (event) => event.preventDefault() },
    choice("Status", "status", [["", "all"], ...STATUSES.map((name) => [name, name])], change),
    choice("Problem", "problem", [["", "all"], ...catalogue.problems.map(({ kind, title }) => [kind, title])], change),
    search("Name contains", "name", 200, change),
    search("Tag", "tag", 40, change),
    choice(
      "Order",
      "sort",
      Object.entries(ORDERS).map(([name, words]) => [name === "created" ? "" : name, words]),
      change,
    ),
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "checkbox",
        checked: readAddress().get("races") === "1",
        onchange: ({ target }) => change("races", target.checked ? "1" : null),
      }),
      "Show races",
    ),
  );

function choice(title, name, options, change) {
  const id = newId(name);
  const select = h(
    "select",
    { id, value: readAddress().get(name) ?? "", "data-field": name, onchange: () => change(name, select.value) },
    options.map(([value, text]) => h("option", { value }, text)),
  );
  return h("div", { class: "field" }, h("label", { for: id }, title), select);
}

function search(title, name, most, change) {
  const id = newId(name);
  let typed = null;
  const input = h("input", {
    id,
    type: "search",
    maxlength: most,
    value: readAddress().get(name) ?? "",
    "data-field": name,
    oninput: () => {
      clearTimeout(typed);
      typed = setTimeout(() => change(name, input.value.trim()), 250);
    },
  });
  return h("div", { class: "field" }, h("label", { for: id }, title), input);
}


// The form of a problem with its main fields, derived from the catalogue of the server.
import { formulasOf } from "../catalogue.js";
import { h, newId } from "../dom.js";
import { schemaField } from "./schema.js";

// Fields that are always visible; the others are behind "more".
const FIRST = {
  data: ["dataset", "target", "scale"],
  digits: ["model", "hidden"],
  playground: ["dataset", "features", "widths", "activation", "noise", "size", "test_size", "l1", "l2"],
  quadratic: ["eigenvalues", "start", "noise"],
  surface: ["start", "noise"],
};
// Fields without a control here: starts belong to the view Sweep, and no view shows shifts.
const LEFT_OUT = ["starts", "shift_at", "shift_by", "name", "expression", "parameters"];
const OWN = "";

/** Make the form: {element, value}; `problems` are entries of the catalogue; `change(problem)` follows each change. */
export function problemForm({ value, problems, change }) {
  const element = h("div", { class: "problem" });
  let now = value;

  const put = (part) => {
    // Values equal to the defaults of the API are omitted. A start replaces the starts of a job that was opened here,
    // and what was resolved for its data is not true of others.
    now = Object.fromEntries(
      Object.entries({ ...now, ...part, resolved: null, ...(part.start ? { starts: null } : {}) }).filter(([, one]) => one !== null && one !== undefined),
    );
    change(now);
  };

  function render() {
    const entry = problems.find(({ kind }) => kind === now.kind) ?? problems[0];
    const id = newId("problem");
    const choose = h(
      "select",
      {
        id,
        "data-field": "problem.kind",
        value: entry.kind,
        onchange: (event) => {
          const kind = event.target.value;
          now = { kind, ...firstOf(kind) };
          render();
          element.querySelector("select").focus();
          change(now);
        },
      },
      problems.map(({ kind, title }) => h("option", { value: kind }, title)),
    );
    const properties = Object.entries(entry.parameters.properties).filter(([name]) => !LEFT_OUT.includes(name));
    const field = ([name, schema]) =>
      schemaField({ name, schema, value: now[name], field: `problem.${name}`, change: (one) => put({ [name]: one }) })
        ?.element;
    const first = FIRST[entry.kind] ?? [];
    const rest = properties.filter(([name]) => !first.includes(name));
    element.replaceChildren(
      h("div", { class: "field" }, h("label", { for: id }, "Problem"), choose),
      ...(entry.surfaces ? surfaceFields(entry) : [h("p", { class: "caption" }, entry.description)]),
      h(
        "div",
        { class: "fields" },
        first.map((name) => field([name, entry.parameters.properties[name]])),
      ),
      rest.length
        ? h(
            "details",
            { open: rest.some(([name]) => now[name] !== undefined) },
            h("summary", {}, "more"),
            h("div", { class: "fields" }, rest.map(field)),
          )
        : "",
    );
  }

  function surfaceFields(entry) {
    const { surfaces } = entry;
    const [nameId, formulaId] = [newId("surface"), newId("formula")];
    const chosen = surfaces.find(({ name }) => name === now.name);
    const about = h(
      "p",
      { class: "caption" },
      chosen ? `${chosen.formula}. ${chosen.description}` : formulasOf(entry),
    );
    const choose = h(
      "select",
      {
        id: nameId,
        "data-field": "problem.name",
        value: now.name ?? OWN,
        onchange: (event) => {
          const { noise } = now;
          const formula = chosen?.formula ?? "x**2 + 10*y**2";
          now = {
            kind: "surface",
            ...(event.target.value === OWN ? { expression: formula, start: [5, 2] } : { name: event.target.value }),
            ...(noise ? { noise } : {}),
          };
          render();
          change(now);
        },
      },
      surfaces.map(({ name, title }) => h("option", { value: name }, title)),
      h("option", { value: OWN }, "ƒ(x, y): your own"),
    );
    const formula = h("input", {
      id: formulaId,
      type: "text",
      value: now.expression ?? "",
      spellcheck: "false",
      autocapitalize: "off",
      "data-field": "problem.expression",
      onchange: (event) => put({ expression: event.target.value.trim() }),
    });
    return [
      h("div", { class: "field" }, h("label", { for: nameId }, "Surface"), choose),
      now.name ? "" : h("div", { class: "field" }, h("label", { for: formulaId }, "ƒ(x, y) ="), formula),
      about,
    ];
  }

  render();
  return {
    element,
    get value() {
      return now;
    },
  };
}

/** Give the required fields of a problem of a kind. */
const firstOf = (kind) =>
  ({ surface: { name: "ravine" }, quadratic: { eigenvalues: [1, 100], start: [1, 1] }, data: { dataset: "iris" } })[
    kind
  ] ?? {};

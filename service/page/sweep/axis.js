// One axis of a sweep: hyper-parameter, range, number of steps and scale.
import { NOT_NUMBERS, readNumbers } from "../controls/numbers.js";
import { h, newId } from "../dom.js";
import { spaced } from "../grids.js";
import { hyperParameterName } from "../labels.js";

/** Give the values of an axis: those of its range, or its own list. */
export const valuesOf = (one) => one.values ?? spaced(one);

/** Write an axis as a short text: "lr,0.001,1,20,log", or "momentum,list,0,0.5,0.9". */
export const writeAxis = ({ name, values, from, to, num, scale }) =>
  (values ? [name, "list", ...values] : [name, from, to, num, scale]).join(",");

/** Read what writeAxis wrote. */
export function readAxis(text, first) {
  const [name, ...rest] = (text ?? "").split(",");
  if (rest[0] === "list") return { name, values: rest.slice(1).map(Number) };
  const [from, to, num] = rest.slice(0, 3).map(Number);
  return name && [from, to, num].every(Number.isFinite)
    ? { name, from, to, num, scale: rest[3] === "log" ? "log" : "linear" }
    : first;
}

/** Give an axis as a spec has it. */
export const gridOf = ({ values, from, to, num, scale }) => values ?? { from, to, num, scale };

/** Read a grid of a spec into an axis. */
export const axisOf = (name, grid) =>
  Array.isArray(grid) ? { name, values: grid } : { name, scale: "linear", ...grid };

/** Make the fields of an axis; `names` are what it may be of, [] where that is fixed. `change(axis)` follows each change. */
export function axisFields({ title, value, names, field, change }) {
  let now = value;
  const put = (part) => {
    now = { ...now, ...part };
    change(now);
  };
  const labelled = (name, control) => {
    const id = newId("axis");
    control.id = id;
    return h("div", { class: "field" }, h("label", { for: id }, name), control);
  };
  const number = (name, part, more = {}) =>
    labelled(
      name,
      h("input", {
        type: "number",
        step: "any",
        value: now[part],
        required: true,
        "data-field": `${field}.${part}`,
        ...more,
        onchange: (event) => event.target.reportValidity() && put({ [part]: Number(event.target.value) }),
      }),
    );
  const kind = h(
    "select",
    {
      value: now.values ? "list" : now.scale,
      "data-field": field,
      onchange: ({ target }) => {
        if (target.value === "list") return change({ name: now.name, values: spaced(now) }, { again: true });
        if (now.values)
          return change(
            {
              name: now.name,
              from: Math.min(...now.values),
              to: Math.max(...now.values),
              num: now.values.length,
              scale: target.value,
            },
            { again: true },
          );
        put({ scale: target.value });
      },
    },
    h("option", { value: "log" }, "log"),
    h("option", { value: "linear" }, "linear"),
    names.length ? h("option", { value: "list" }, "own list") : null,
  );
  const which = names.length
    ? labelled(
        title,
        h(
          "select",
          {
            value: now.name,
            onchange: ({ target }) => change({ ...firstAxis(target.value), name: target.value }, { again: true }),
          },
          names.map((name) => h("option", { value: name }, hyperParameterName(name))),
        ),
      )
    : h("h3", {}, title);
  const list = now.values
    ? labelled(
        "values",
        h("input", {
          type: "text",
          value: now.values.join(", "),
          "data-field": field,
          onchange: ({ target }) => {
            const values = readNumbers(target.value);
            target.setCustomValidity(values?.length ? "" : NOT_NUMBERS);
            if (target.reportValidity()) put({ values });
          },
        }),
      )
    : null;
  return h(
    "fieldset",
    { class: "axis" },
    h("legend", { class: "sr-only" }, title),
    which,
    h(
      "div",
      { class: "range" },
      list ?? [number("from", "from"), number("to", "to"), number("values", "num", { min: 1, max: 1000, step: 1 })],
      labelled("spacing", kind),
    ),
  );
}

/** Give a range that suits a hyper-parameter. */
export function firstAxis(name) {
  const ranges = {
    lr: [0.001, 1, "log"],
    momentum: [0, 0.95, "linear"],
    beta1: [0, 0.95, "linear"],
    beta2: [0.9, 0.999, "linear"],
    nu: [0, 1, "linear"],
    dampening: [0, 0.9, "linear"],
    weight_decay: [1e-5, 0.1, "log"],
    eps: [1e-8, 1, "log"],
    alpha: [0.8, 0.999, "linear"],
    rho: [0.5, 0.99, "linear"],
  };
  const [from, to, scale] = ranges[name] ?? [0.01, 1, "log"];
  return { name, from, to, num: 20, scale };
}

// A field of a form for a simple property of a JSON Schema: a choice, a switch, a number or several numbers.
import { h, newId } from "../dom.js";
import { clause } from "../labels.js";
import { NOT_NUMBERS, readNumbers } from "./numbers.js";

const NAMES = {
  train_size: "training examples",
  label_noise: "wrong labels",
  widths: "hidden layers",
  hidden: "width",
  data_seed: "seed of the points",
  size: "training points",
  test_size: "test points",
  l1: "L1",
  l2: "L2",
  eigenvalues: "curvatures",
  start: "start",
};

// Values of choices that are not written as people write them.
const VALUES = { x2: "x²", y2: "y²", sin_x: "sin 5x", sin_y: "sin 5y" };

/** Give the schemas that a property may follow, without null. */
export const variants = (schema) => (schema.anyOf ?? schema.oneOf ?? [schema]).filter(({ type }) => type !== "null");

/** Make a labelled field: {element, set(value)}, or null for what is not simple; `change(value)` follows each change. */
export function schemaField({ name, schema, value, field, change }) {
  const id = newId(name);
  const title = clause(schema.description ?? name);
  const [one] = variants(schema);
  const written = NAMES[name] ?? name.replaceAll("_", " ");
  const named = h("label", { for: id, title }, written);
  const common = { id, title, "data-field": field };
  const place = (control, kind = "field") => ({ element: h("div", { class: kind }, named, control), control });
  if (schema.enum ?? one?.enum) {
    const options = (schema.enum ?? one.enum).filter((option) => option !== null);
    return place(
      h(
        "select",
        { ...common, value: value ?? schema.default, onchange: (event) => change(event.target.value) },
        options.map((option) => h("option", { value: option }, option)),
      ),
    );
  }
  if (one?.type === "boolean") {
    return place(
      h("input", {
        ...common,
        type: "checkbox",
        checked: value ?? schema.default,
        onchange: (event) => change(event.target.checked),
      }),
      "field switch",
    );
  }
  if (one?.type === "number" || one?.type === "integer") {
    const nothing = variants(schema).length !== (schema.anyOf ?? schema.oneOf ?? [schema]).length ? "default" : null;
    return place(
      h("input", {
        ...common,
        type: "number",
        step: one.type === "integer" ? 1 : "any",
        min: one.minimum,
        max: one.maximum,
        placeholder: nothing,
        value: value ?? schema.default ?? "",
        onchange: (event) =>
          event.target.reportValidity() && change(event.target.value === "" ? null : Number(event.target.value)),
      }),
    );
  }
  if (one?.type === "array" && one.items?.enum) {
    const control = several(one.items.enum, value ?? schema.default ?? [], change);
    const legend = h("legend", { title }, written);
    return { element: h("fieldset", { class: "field several", title, "data-field": field }, legend, control), control };
  }
  if (one?.type === "array" && ["number", "integer"].includes(one.items?.type)) {
    const text = (numbers) => (numbers ?? []).join(", ");
    return place(
      h("input", {
        ...common,
        type: "text",
        inputmode: "decimal",
        placeholder: "default",
        value: text(value ?? schema.default),
        spellcheck: "false",
        onchange: (event) => {
          const numbers = readNumbers(event.target.value);
          event.target.setCustomValidity(numbers ? "" : NOT_NUMBERS);
          if (event.target.reportValidity()) change(numbers.length ? numbers : null);
        },
      }),
    );
  }
  if (one?.type === "string") {
    return place(
      h("input", {
        ...common,
        type: "text",
        value: value ?? "",
        spellcheck: "false",
        autocapitalize: "off",
        onchange: (event) => change(event.target.value.trim() || null),
      }),
    );
  }
  return null;
}

/** Make a tick for each choice; the last one that is ticked stays so. */
function several(options, chosen, change) {
  const boxes = options.map((option) => h("input", { type: "checkbox", value: option, checked: chosen.includes(option) }));
  const ticks = boxes.map((box) => h("label", { class: "tick" }, box, ` ${VALUES[box.value] ?? box.value}`));
  return h(
    "div",
    {
      class: "ticks",
      onchange: ({ target }) => {
        const ticked = boxes.filter(({ checked }) => checked);
        if (!ticked.length) target.checked = true;
        else change(ticked.map(({ value }) => value));
      },
    },
    ticks,
  );
}

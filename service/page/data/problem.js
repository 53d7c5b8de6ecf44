// The form of a problem on a dataset: target, model with its settings, scaling, and what to do where values are missing.
import { h, newId } from "../dom.js";
import { schemaField } from "../controls/schema.js";

const MODELS = { image: ["linear", "mlp", "cnn", "resnet"], text: ["transformer"], table: ["linear", "mlp"] };
const TITLES = { linear: "linear", mlp: "MLP", cnn: "CNN", resnet: "ResNet", transformer: "transformer" };
// Fields behind "More": those of tables and images, and those of every dataset.
const OF_TABLES = ["l2", "label_noise"];
const OF_ALL = ["test_share", "train_size"];
// Choices that the API fills in where they are left out, with their words; the first one is the usual one.
const CHOICES = {
  scale: {
    standard: "standard: mean 0, deviation 1",
    minmax: "minmax: 0 to 1",
    whiten: "whiten: uncorrelated",
    none: "none",
  },
  missing: { refuse: "refuse the data", drop: "leave out these rows", mean: "take the training mean" },
  task: { "": "by the kind of the target", classification: "classification", regression: "regression" },
};

/** Give the kind of a dataset: "table", "image" or "text". */
export const kindOf = ({ columns: [{ kind }] }) => (kind === "image" || kind === "text" ? kind : "table");

/**
 * Give the problem on a dataset with which a question begins.
 *
 * @param {any} dataset
 */
export function firstProblem(dataset) {
  const kind = kindOf(dataset);
  const isMissing = dataset.columns.some(({ missing }) => missing);
  return {
    kind: "data",
    dataset: dataset.id,
    ...(kind === "text" ? { model: { kind: "transformer" } } : {}),
    ...(isMissing ? { missing: "mean" } : {}),
  };
}

/** Make the form for a dataset; `entry` is the problem's in the catalogue, `change(problem)` follows each change. */
export function dataForm({ dataset, entry, value, change }) {
  const element = h("div", { class: "problem" });
  const kind = kindOf(dataset);
  const { properties, $defs: models } = entry.parameters;
  let now = value;

  function put(part) {
    const given = Object.entries({ ...now, ...part }).filter(([, one]) => one !== null && one !== undefined);
    now = Object.fromEntries(given);
    change(now);
  }

  function select(text, field, chosen, options, pick) {
    const id = newId(text);
    const control = h(
      "select",
      { id, value: chosen, "data-field": field, onchange: ({ target }) => pick(target.value) },
      options.map(([key, title]) => h("option", { value: key }, title)),
    );
    return h("div", { class: "field" }, h("label", { for: id }, text), control);
  }

  function targetField() {
    const names = dataset.columns.map((column) => column.name);
    const last = names.at(-1);
    const options = names.map((name) => [name, name === last ? `${name} (the last column)` : name]);
    return select("Target: the column to predict", "problem.target", now.target ?? last, options, (name) =>
      put({ target: name === last ? null : name }),
    );
  }

  function modelFields() {
    const chosen = now.model?.kind ?? "linear";
    const schema = Object.values(models).find((one) => one.properties?.kind?.const === chosen);
    const choose = select(
      "Model",
      "problem.model",
      chosen,
      MODELS[kind].map((name) => [name, TITLES[name]]),
      (name) => {
        put({ model: { kind: name } });
        render();
        element.querySelector("[data-field='problem.model']").focus();
      },
    );
    const settings = Object.entries(schema.properties).filter(([name]) => name !== "kind");
    return [
      choose,
      h("p", { class: "caption" }, schema.description),
      h("div", { class: "fields" }, settings.map(([name, one]) => modelField(name, one))),
    ];
  }

  const modelField = (name, schema) =>
    schemaField({
      name: name === "widths" ? name : schema.title,
      schema,
      value: now.model?.[name],
      field: `problem.model.${name}`,
      change: (one) => put({ model: { kind: "linear", ...now.model, [name]: one ?? schema.default } }),
    })?.element;

  const field = (name) =>
    schemaField({
      name: name.replaceAll("_", " "),
      schema: properties[name],
      value: now[name],
      field: `problem.${name}`,
      change: (one) => put({ [name]: one === properties[name].default ? null : one }),
    })?.element;

  function choice(text, name) {
    const usual = Object.keys(CHOICES[name])[0];
    return select(text, `problem.${name}`, now[name] ?? usual, Object.entries(CHOICES[name]), (one) =>
      put({ [name]: one === usual ? null : one }),
    );
  }

  function render() {
    const more = kind === "text" ? OF_ALL : [...OF_TABLES, ...OF_ALL];
    element.replaceChildren(
      ...(kind === "table" ? [targetField()] : []),
      ...modelFields(),
      ...(kind === "text" ? [] : [choice("Scaling", "scale")]),
      ...(dataset.columns.some(({ missing }) => missing) ? [choice("Missing values", "missing")] : []),
      h(
        "details",
        { open: [...more, "task"].some((name) => now[name] !== undefined) },
        h("summary", {}, "More"),
        h("div", { class: "fields" }, kind === "text" ? "" : choice("Task", "task"), more.map(field)),
      ),
    );
  }

  render();
  return element;
}

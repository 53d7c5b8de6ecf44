// Controls beside the map: problem, optimizer, its two ranges or a grid of starts, and the cost.
import { post } from "../api.js";
import { course } from "../controls/course.js";
import { problemForm } from "../controls/problem.js";
import { schemaField, variants } from "../controls/schema.js";
import { h, newId } from "../dom.js";
import { count, duration } from "../format.js";
import { calm, complain } from "../states.js";
import { axisFields, firstAxis } from "./axis.js";
import { lengthOf, specOf } from "./state.js";

// Delay between the last change and the request of the cost.
const PAUSE_MS = 250;

/** Make the panel: {element, set(state)}; `change(part)` follows each change, `run()` the button. */
export function settings({ state, catalogue, change, run, signal }) {
  let now = state;
  let timer = null;
  const cost = h("p", { class: "caption cost", role: "status" });
  const element = h("form", {
    class: "controls",
    "aria-label": "Settings",
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      run();
    },
  });

  function put(part, { again = false } = {}) {
    now = { ...now, ...part };
    change(part);
    if (again) render();
    else estimate();
  }

  function estimate() {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      try {
        const plan = await post("/v1/jobs?dry_run=true", specOf(now, catalogue), { signal });
        calm(element);
        cost.textContent = `${count(plan.runs_total, "run")}, ${count(plan.rows_total, "row")}, about ${duration(plan.estimated_seconds)} of one worker.`;
      } catch (error) {
        if (error.name === "AbortError") return;
        const rest = complain(element, error);
        cost.textContent = rest.map(({ msg }) => msg).join("; ") || (error.errors?.length ? "" : error.message);
      }
    }, PAUSE_MS);
  }

  function render() {
    const problem = problemForm({
      value: now.problem,
      problems: catalogue.problems,
      change: (next) => {
        if (next.kind === now.problem.kind) return put({ problem: next });
        const over = catalogue.isLandscape(next) ? now.over : "settings";
        return put({ problem: next, batch: null, also: {}, over, ...lengthOf(next.kind) }, { again: true });
      },
    });
    const names = catalogue.hyperParameters(now.optimizer.kind).map(([name]) => name);
    const isMap = now.over === "starts";
    const isLandscape = catalogue.isLandscape(now.problem);
    const id = newId("optimizer");
    const choose = h(
      "select",
      {
        id,
        "data-field": "optimizers",
        value: now.optimizer.kind,
        onchange: ({ target }) => {
          const fits = catalogue.hyperParameters(target.value).map(([name]) => name);
          const second =
            now.y.name !== "lr" && fits.includes(now.y.name)
              ? now.y
              : firstAxis(fits.find((name) => name !== "lr" && name !== now.x.name) ?? fits[1]);
          put(
            {
              optimizer: { kind: target.value, ...(isMap ? { lr: now.optimizer.lr ?? 0.01 } : {}) },
              x: fits.includes(now.x.name) ? now.x : firstAxis("lr"),
              y: second,
            },
            { again: true },
          );
        },
      },
      catalogue.choices.map(({ kind, title, short_name: name }) => h("option", { value: kind, title }, name)),
    );
    const fixed = catalogue.hyperParameters(now.optimizer.kind).filter(
      ([name]) => isMap || (name !== now.x.name && name !== now.y.name),
    );
    const fields = fixed.map(
      ([name, schema]) =>
        schemaField({
          name,
          schema: {
            ...variants(schema).find(({ type }) => type === "number"),
            default: schema.default,
            description: schema.description,
          },
          value: now.optimizer[name],
          field: `optimizers.0.${name}`,
          change: (value) => put({ optimizer: { ...now.optimizer, [name]: value ?? undefined } }),
        }).element,
    );
    const over = h(
      "div",
      { class: "group", role: "group", "aria-label": "Sweep over" },
      [
        ["settings", "two settings"],
        ["starts", "starts"],
      ].map(([kind, text]) =>
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(now.over === kind),
            onclick: () =>
              put(
                { over: kind, optimizer: kind === "starts" ? { lr: 0.01, ...now.optimizer } : now.optimizer, also: {} },
                { again: true },
              ),
          },
          text,
        ),
      ),
    );
    const axis = (which, title, own) =>
      axisFields({
        title,
        value: now[which],
        names: own,
        field: isMap ? `starts.${now[which].name}` : now[which].name,
        change: (value, how) => put({ [which]: value }, how),
      });
    const other = (which) => names.filter((name) => name !== now[which === "x" ? "y" : "x"].name);
    element.replaceChildren(
      problem.element,
      isLandscape ? h("div", { class: "row" }, h("span", { class: "caption" }, "Sweep over"), over) : "",
      h("div", { class: "field" }, h("label", { for: id }, "Optimizer"), choose),
      ...(isMap
        ? [axis("sx", "starts, x", []), axis("sy", "starts, y", []), h("div", { class: "fields" }, fields)]
        : [
            axis("x", "horizontal axis", other("x")),
            axis("y", "vertical axis", other("y")),
            fields.length
              ? h("details", {}, h("summary", {}, "fixed settings"), h("div", { class: "fields" }, fields))
              : "",
          ]),
      course({
        value: now,
        change: put,
        mostSeeds: 100,
        isNetwork: !isLandscape,
        usual: catalogue.problem(now.problem.kind).default_batch_size,
      }),
      h("div", { class: "row act" }, h("button", { class: "main", type: "submit" }, "Run the sweep")),
      cost,
    );
    estimate();
  }

  render();
  return {
    element,
    set: (next) => {
      now = next;
      render();
    },
  };
}

// Controls beside the picture: surface or formula, start, optimizers, noise, batch, steps, seeds.
import { h, newId } from "../dom.js";
import { choice } from "../controls/choice.js";
import { NOT_NUMBERS, readNumbers } from "../controls/numbers.js";
import { optimizers } from "../controls/optimizers.js";
import { linear, log, slider } from "../controls/slider.js";
import { mathOf } from "../mathml.js";
import { calm } from "../states.js";
import { formulaEntry } from "./formula.js";
import { help } from "./keys.js";

/**
 * Make the controls: {element, optimizers, start(point), readAs(map)}; `change(part, {redraws})` is called after each
 * change, `drag(part)` while a slider moves; `refuse(part, error)` takes a formula that cannot be read, and `stable(state)`
 * gives the state with stable rates.
 */
export function controls({ state, catalogue, signal, change, drag, stable, refuse }) {
  const { surfaces } = catalogue;
  let now = state;
  const put = (part, how) => {
    now = { ...now, ...part };
    return change(part, how);
  };
  const [surfaceId, startId] = [newId("surface"), newId("start")];
  const about = h("p", { class: "caption" });
  const entry = formulaEntry({
    state: now,
    signal,
    take: (part) => {
      point.value = part.start.join(", ");
      put({ surface: null, ...part }, { redraws: true });
    },
    refuse: (part, error) => {
      now = { ...now, surface: null, ...part };
      refuse({ surface: null, ...part }, error);
    },
    drag,
    change: (part) => put(part, { redraws: true, framed: true }),
  });
  const choose = h(
    "select",
    { id: surfaceId, "data-field": "problem.name", value: now.surface ?? "", onchange: () => chosen(choose.value) },
    surfaces.map(({ name, title }) => h("option", { value: name }, title)),
    h("option", { value: "" }, "ƒ(x, y): your own"),
  );
  const point = h("input", {
    id: startId,
    type: "text",
    value: now.start.join(", "),
    inputmode: "decimal",
    "data-field": "problem.start",
    onchange: () => typed(readNumbers(point.value)),
  });
  const list = optimizers({
    value: now.optimizers,
    catalogue,
    rates: catalogue.rates("surface"),
    change: (value) => put({ optimizers: value }),
    drag: (value) => drag({ optimizers: value }),
  });
  const noise = slider({
    name: "noise",
    title: "Standard deviation of the noise added to each gradient component",
    value: now.noise,
    scale: linear(0, 10),
    field: "problem.noise",
    change: (value) => put({ noise: value }),
    input: (value) => drag({ noise: value }),
  });
  const batch = slider({
    name: "batch",
    title: "Batch size: noise shrinks with its root",
    value: now.batch,
    scale: log(1, 256),
    integer: true,
    field: "batch_size",
    change: (value) => put({ batch: value }),
    input: (value) => drag({ batch: value }),
  });
  const steps = slider({
    name: "steps",
    title: "Updates",
    value: now.steps,
    scale: log(10, 2000),
    integer: true,
    field: "epochs",
    change: (value) => put({ steps: value }),
    input: (value) => drag({ steps: value }),
  });
  const seeds = slider({
    name: "seeds",
    title: "Seeds: each draws its own noise",
    value: now.seeds,
    scale: log(1, 50),
    integer: true,
    field: "seeds",
    change: (value) => put({ seeds: value }),
    input: (value) => drag({ seeds: value }),
  });
  const tall = choice({
    name: "Height",
    value: now.height,
    options: { true: "True height", log: "Log height" },
    choose: (height) => put({ height }, { runs: false }),
  });
  tall.hidden = now.view !== "3d";
  const views = choice({
    name: "View",
    value: now.view,
    options: { "2d": "2D", "3d": "3D" },
    choose: (view) => {
      tall.hidden = view !== "3d";
      put({ view }, { runs: false });
    },
  });
  const rest = h(
    "details",
    { open: now.noise > 0 || now.batch > 1 },
    h("summary", {}, "noise, batch"),
    noise.element,
    batch.element,
  );

  function chosen(name) {
    const surface = surfaces.find((one) => one.name === name);
    explain(surface);
    if (!surface) return entry.show(surfaces.find((one) => one.name === now.surface)?.formula ?? "x**2 + 10*y**2");
    point.value = surface.start.join(", ");
    const { optimizers: settled } = stable({ ...now, surface: name, start: surface.start });
    list.set(settled);
    return put({ surface: name, start: surface.start, optimizers: settled }, { redraws: true });
  }

  function explain(surface) {
    entry.element.hidden = Boolean(surface);
    about.textContent = surface ? `${surface.formula}. ${surface.description}` : catalogue.formulas;
  }

  /** Set the formula as the service reads it. */
  function readAs({ mathml }) {
    if (!mathml) return;
    const surface = surfaces.find(({ name }) => name === now.surface);
    const set = h("span", { class: "typeset" }, mathOf(mathml));
    about.replaceChildren(...(surface ? [set, ` ${surface.description}`] : [set]));
  }

  /** Take a typed start, or say beside it what is wrong with it. */
  function typed(value) {
    const num = now.start.length;
    calm(element);
    if (value?.length === num) return start(value);
    const msg = value === null ? NOT_NUMBERS : `Write ${num === 1 ? "one number" : "two numbers"} for this surface.`;
    refuse(null, { errors: [{ loc: ["problem", "start"], msg }] });
  }

  function start(value) {
    entry.begin(value);
    point.value = value.join(", ");
    return put({ start: value }, { redraws: false });
  }

  explain(surfaces.find(({ name }) => name === now.surface));
  const element = h(
    "div",
    { class: "controls" },
    h(
      "div",
      { class: "row" },
      h("div", { class: "field grow" }, h("label", { for: surfaceId }, "Surface"), choose),
      views,
    ),
    tall,
    entry.element,
    about,
    h("div", { class: "field inline" }, h("label", { for: startId }, "Start"), point),
    list.element,
    h("div", { class: "course" }, steps.element, seeds.element, rest),
    h(
      "div",
      { class: "row" },
      h("button", { type: "button", onclick: () => change({}) }, "Run again"),
      h("button", { type: "button", class: "quiet", onclick: help }, "Keys: ?"),
    ),
  );
  return { element, optimizers: list, start, readAs };
}

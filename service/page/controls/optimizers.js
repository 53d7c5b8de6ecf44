// A list of optimizers with their sliders, as the catalogue of the server describes them.
import { USUAL_RATE } from "../catalogue.js";
import { h } from "../dom.js";
import { clause } from "../labels.js";
import { lineStyles } from "../palette.js";
import { linear, log, slider } from "./slider.js";

// Fields that are always visible; the others are behind "more".
const FIRST = ["lr", "momentum", "beta1", "beta2"];
const SYMBOLS = { lr: "lr", momentum: "β", beta1: "β₁", beta2: "β₂", weight_decay: "decay" };
// Kinds that "add optimizer" suggests, in this order, where the catalogue has them.
const SUGGESTED = ["sgd", "momentum", "nesterov", "adam", "rmsprop"];

/**
 * Make the list: give {element, value, set(list), limit(at, number, says)}; `change(list)` is called after each change, and `drag(list)` while a slider moves.
 *
 * An optimizer is an entry of a spec, with `off: true` if it is not to run. `rates` has the learning rates of new ones.
 */
export function optimizers({ value, catalogue, rates, change, drag = null, most = 8 }) {
  const element = h("div", { class: "optimizers" });
  let list = value;
  let rows = [];

  function render() {
    const styles = lineStyles(list.map(({ kind }) => kind));
    rows = list.map((one, at) => row(one, at, styles[at]));
    const add = h(
      "button",
      {
        type: "button",
        class: "quiet",
        disabled: list.length >= most,
        onclick: () => {
          const free = SUGGESTED.find(
            (kind) => catalogue.optimizer(kind) && !list.some((other) => other.kind === kind),
          );
          replace([...list, fresh(free ?? "momentum", rates)]);
        },
      },
      "+ add optimizer",
    );
    element.replaceChildren(...rows.map(({ element: one }) => one), add);
  }

  function replace(next) {
    list = next;
    render();
    change(list);
  }

  function row(one, at, style) {
    const entry = catalogue.optimizer(one.kind);
    const changed = (name, number) =>
      list.map((other, index) => (index === at ? { ...other, [name]: number } : other));
    const put = (name, number) => {
      list = changed(name, number);
      change(list);
    };
    const move = drag && ((name, number) => drag(changed(name, number)));
    const choose = h(
      "select",
      {
        "aria-label": `Optimizer ${at + 1}`,
        "data-field": `optimizers.${at}.kind`,
        value: one.kind,
        onchange: (event) => {
          replace(list.map((other, index) => (index === at ? fresh(event.target.value, rates, other) : other)));
        },
      },
      // A rule of the user's is among the choices only where it is the one.
      one.kind === "formula" && h("option", { value: one.kind }, one.label ?? entry.short_name),
      catalogue.choices.map(({ kind, title, short_name: name }) => h("option", { value: kind, title }, name)),
    );
    const toggle = h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-pressed": String(!one.off),
        "aria-label": `Run optimizer ${at + 1}`,
        title: `${at + 1}`,
        onclick: () => {
          replace(list.map((other, index) => (index === at ? { ...other, off: !other.off || undefined } : other)));
        },
      },
      one.off ? "○" : "●",
    );
    toggle.style.color = style.colour;
    toggle.style.background = "none";
    const away = h(
      "button",
      {
        type: "button",
        class: "quiet",
        "aria-label": `Remove optimizer ${at + 1}`,
        disabled: list.length < 2,
        onclick: () => replace(list.filter((_, index) => index !== at)),
      },
      "✕",
    );
    const numbers = catalogue.hyperParameters(one.kind);
    const controls = new Map(numbers.map(([name, schema]) => [name, control({ name, schema, one, at, put, move, style })]));
    const first = numbers.map(([name]) => name).filter((name) => FIRST.includes(name));
    const rest = numbers.map(([name]) => name).filter((name) => !FIRST.includes(name));
    const show = (names) => names.map((name) => controls.get(name).element);
    const details = rest.length
      ? h("details", { open: rest.some((name) => one[name] !== undefined) }, h("summary", {}, "more"), show(rest))
      : null;
    return {
      controls,
      element: h(
        "section",
        { class: `optimizer${one.off ? " off" : ""}`, "aria-label": entry.short_name },
        h("header", {}, toggle, choose, away),
        show(first),
        details,
      ),
    };
  }

  render();
  return {
    element,
    get value() {
      return list;
    },
    set: (next) => {
      list = next;
      render();
    },
    toggle: (at) =>
      list[at] &&
      replace(list.map((other, index) => (index === at ? { ...other, off: !other.off || undefined } : other))),
    limit: (at, number, says) => rows[at]?.controls.get("lr")?.limit(number, says),
  };
}

/** Give an optimizer of a kind with a suitable learning rate; if none is known, with that of the optimizer before it. */
function fresh(kind, rates, before = {}) {
  const same = before.lr !== undefined && !(before.kind in rates) && !(kind in rates);
  return { kind, lr: same ? before.lr : (rates[kind] ?? USUAL_RATE), ...(before.off ? { off: true } : {}) };
}

function control({ name, schema, one, at, put, move, style }) {
  const [least, most] = bounds(schema);
  const value = one[name] ?? schema.default ?? 0;
  const scale =
    name === "lr"
      ? log(Math.min(1e-4, value / 10), Math.max(1, value))
      : most <= 1
        ? linear(0, most === 1 && least === 0 ? 0.999 : most)
        : linear(least > -1e9 ? least : 0, Math.max(1, value * 2));
  const made = slider({
    name: SYMBOLS[name] ?? name.replaceAll("_", " "),
    title: clause(schema.description ?? name),
    value,
    scale,
    least: undefined,
    most: undefined,
    field: `optimizers.${at}.${name}`,
    change: (number) => put(name, number),
    input: move && ((number) => move(name, number)),
  });
  made.element.style.setProperty("--thumb", style.colour);
  return made;
}

/** Give the smallest and the largest allowed value of a hyper-parameter. */
function bounds(schema) {
  const one = schema.oneOf.find(({ type }) => type === "number");
  return [one.minimum ?? one.exclusiveMinimum ?? -Infinity, one.maximum ?? one.exclusiveMaximum ?? Infinity];
}

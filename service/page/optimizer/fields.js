// The settings of a rule: its name, learning rate, parameters and states.
import { h, newId } from "../dom.js";

/** Make the fields: {element, set(rule)}; `change(part)` follows each change. */
export function ruleFields({ rule, change }) {
  const element = h("div", { class: "fields rule-fields" });
  let now = rule;

  const put = (part) => {
    now = Object.fromEntries(Object.entries({ ...now, ...part }).filter(([, one]) => one !== null));
    change(now);
  };

  function field(text, place, value, options, pick) {
    const id = newId("setting");
    const control = h("input", {
      id,
      type: "text",
      spellcheck: "false",
      autocapitalize: "off",
      value,
      "data-field": place,
      ...options,
      onchange: () => pick(control.value.trim(), control),
    });
    return h("div", { class: "field" }, h("label", { for: id }, text), control);
  }

  /** Make the fields of named values: `as` is "parameters" or "state". */
  function values(as, read, hint) {
    const all = now[as] ?? {};
    const rows = Object.entries(all).map(([name, value]) =>
      h(
        "div",
        { class: "row" },
        field(name, `${as}.${name}`, textOf(value), { title: hint }, (text) =>
          put({ [as]: { ...now[as], [name]: read(text) } }),
        ),
        h(
          "button",
          { type: "button", class: "quiet", "aria-label": `Remove ${name}`, onclick: () => remove(as, name) },
          "✕",
        ),
      ),
    );
    const title = as === "state" ? "State" : "Parameter";
    const add = field(`${title} to add`, as, "", { placeholder: "name" }, (name) => {
      if (!name) return;
      put({ [as]: { ...now[as], [name]: as === "state" ? 0 : 1 } });
      render();
    });
    return [h("p", { class: "caption" }, hint), ...rows, add];
  }

  function remove(as, name) {
    const { [name]: _, ...rest } = now[as];
    put({ [as]: rest, ...(as === "parameters" && now.momentum === name ? { momentum: null } : {}) });
    render();
  }

  function render() {
    element.replaceChildren(
      field("Name", "label", now.label ?? "", { maxlength: 100 }, (text) => put({ label: text || null })),
      field("Learning rate", "lr", textOf(now.lr ?? ""), { placeholder: "searched" }, (text) =>
        put({ lr: text ? valueOf(text) : null }),
      ),
      ...values("parameters", valueOf, "Parameters: a number, several with commas between them, or a range as JSON."),
      ...values("state", startOf, "States: kept from one update to the next; they start at a number, or at w."),
    );
  }

  render();
  return {
    element,
    set(next) {
      now = next;
      render();
    },
  };
}

const textOf = (value) =>
  Array.isArray(value) ? value.join(", ") : typeof value === "object" ? JSON.stringify(value) : String(value);

/** Read a hyper-parameter; what is neither a number, several nor JSON stays a text, which the API refuses. */
function valueOf(text) {
  const parts = text.split(/[\s,;]+/).filter(Boolean);
  if (parts.length && parts.every((part) => Number.isFinite(Number(part))))
    return parts.length > 1 ? parts.map(Number) : Number(parts[0]);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const startOf = (text) => (text !== "" && Number.isFinite(Number(text)) ? Number(text) : text);

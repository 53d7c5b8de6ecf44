// The value of the map: final loss, epochs to a target, or the share of diverged runs.
import { h, newId } from "../dom.js";
import { VALUES } from "./values.js";

/** Make the switch: {element, show(state, isGrid)}; `change(part)` follows each change. */
export function mapControls({ change }) {
  const id = newId("target");
  const target = h("input", {
    id,
    type: "number",
    step: "any",
    "data-field": "target",
    onchange: () => target.reportValidity() && change({ target: target.value === "" ? null : Number(target.value) }),
  });
  const field = h("div", { class: "row" }, h("label", { for: id }, "target loss"), target);
  const group = h("div", { class: "group", role: "group", "aria-label": "Shown" });
  const element = h("div", { class: "row heading switches" }, group, field);
  for (const [value, { title }] of Object.entries(VALUES))
    group.append(h("button", { type: "button", "data-value": value, onclick: () => change({ value }) }, title));
  return {
    element,
    show(state, isGrid) {
      element.hidden = !isGrid;
      for (const button of group.children)
        button.setAttribute("aria-pressed", String(button.dataset.value === state.value));
      field.hidden = state.value !== "epochs_to_target";
      if (document.activeElement !== target) target.value = state.target ?? "";
    },
  };
}

// The form of a question: the controls of its problem, optimizers by name, and how long to run.
import { h, newId } from "../dom.js";
import { MARGIN } from "./state.js";

/** Make the form below the controls `problem`; `change(part)` follows each change, `compare()` the button. */
export function questionForm({ problem, state, catalogue, change, compare, below = null }) {
  let { kinds, margin, most } = state;
  const until = h("div", { class: "fields" });
  const button = h("button", { class: "main", type: "submit" }, "Compare");

  function choose(kind, isChosen) {
    // In the order of the catalogue: the first one is the baseline.
    kinds = catalogue.choices.map((one) => one.kind).filter((one) => (one === kind ? isChosen : kinds.includes(one)));
    change({ kinds });
  }

  function numberField(text, value, limits, put) {
    const id = newId(text);
    const control = h("input", {
      id,
      type: "number",
      required: true,
      value,
      ...limits,
      onchange: (event) => event.target.reportValidity() && put(Number(event.target.value)),
    });
    return h("div", { class: "field" }, h("label", { for: id }, text), control);
  }

  function showUntil() {
    if (margin === null) return until.replaceChildren();
    const percent = { min: 0.001, max: 100, step: "any", "data-field": "decide.margin" };
    until.replaceChildren(
      numberField("counts as equal, %", Number((100 * margin).toPrecision(6)), percent, (value) => {
        margin = value / 100;
        change({ margin });
      }),
      numberField("most seeds", most, { min: 12, step: 1, "data-field": "decide.max_seeds" }, (value) => {
        most = value;
        change({ most });
      }),
    );
  }

  const length = (text, caption, value) =>
    h(
      "label",
      { class: "choice" },
      h("input", {
        type: "radio",
        name: "length",
        checked: (margin !== null) === value,
        onchange: () => {
          margin = value ? MARGIN : null;
          showUntil();
          change({ margin });
        },
      }),
      h("span", {}, text, h("span", { class: "caption" }, caption)),
    );

  showUntil();
  return h(
    "form",
    {
      class: "controls",
      "aria-label": "Question",
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        if (event.target.reportValidity()) compare();
      },
    },
    problem,
    h(
      "fieldset",
      { class: "kinds", "data-field": "optimizers" },
      h("legend", {}, "Optimizers"),
      catalogue.choices.map(({ kind, title, short_name: name }) =>
        h(
          "label",
          { class: "choice", title },
          h("input", {
            type: "checkbox",
            checked: kinds.includes(kind),
            onchange: (event) => choose(kind, event.target.checked),
          }),
          name,
        ),
      ),
    ),
    h(
      "fieldset",
      {},
      h("legend", {}, "How long"),
      length("a quick answer", "A fixed number of seeds: seconds.", false),
      length("until it is sure", "More seeds until each optimizer is better, worse or equal.", true),
      until,
    ),
    h("div", { class: "row act" }, button, below),
  );
}

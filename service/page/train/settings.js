// Controls beside the curves: problem, optimizers, epochs, batch, seeds, and the button that trains.
import { USUAL_RATE } from "../catalogue.js";
import { h } from "../dom.js";
import { course } from "../controls/course.js";
import { optimizers } from "../controls/optimizers.js";
import { problemForm } from "../controls/problem.js";
import { firstState } from "./state.js";

/** Make the panel: {element, set(state), recolour()}; `change(part)` follows each change, `train()` the button. */
export function settings({ state, catalogue, change, train }) {
  let now = state;
  let list = null;
  const element = h("form", {
    class: "controls",
    "aria-label": "Settings",
    novalidate: true,
    onsubmit: (event) => {
      event.preventDefault();
      train();
    },
  });
  const put = (part) => {
    now = { ...now, ...part };
    change(part);
  };

  function render() {
    const problem = problemForm({
      value: now.problem,
      problems: catalogue.networks,
      change: (next) => {
        if (next.kind === now.problem.kind) return put({ problem: next });
        // Another problem needs other learning rates and another number of epochs.
        const first = firstState(catalogue, next.kind);
        const rates = catalogue.rates(next.kind);
        const kept = now.optimizers.map(({ kind: one, off }) => ({
          kind: one,
          lr: rates[one] ?? USUAL_RATE,
          ...(off ? { off } : {}),
        }));
        put({ problem: next, optimizers: kept, epochs: first.epochs, seeds: first.seeds, batch: null, also: {} });
        return render();
      },
    });
    list = optimizers({
      value: now.optimizers,
      catalogue,
      rates: catalogue.rates(now.problem.kind),
      change: (value) => put({ optimizers: value }),
    });
    const long = course({ value: now, change: put, usual: catalogue.problem(now.problem.kind).default_batch_size });
    const also = Object.entries(now.also);
    element.replaceChildren(
      // First, so that it is in sight of a long form and covers none of it.
      h("div", { class: "row act" }, h("button", { class: "main", type: "submit" }, "Train")),
      problem.element,
      list.element,
      long,
      also.length
        ? h(
            "p",
            { class: "caption" },
            `Also: ${also.map(([name, value]) => `${name.replaceAll("_", " ")} ${JSON.stringify(value)}`).join(", ")}. `,
            h(
              "button",
              {
                type: "button",
                class: "quiet",
                onclick: () => {
                  put({ also: {} });
                  render();
                },
              },
              "Drop",
            ),
          )
        : "",
    );
  }

  render();
  return {
    element,
    set(next) {
      now = next;
      render();
    },
    recolour: () => list.set(now.optimizers),
  };
}

// The curves of a training: loss, accuracy and gradient norm, median and band over seeds, while it goes on.
import { h } from "../dom.js";
import { isRegression } from "../engine/points.js";
import { fieldTitle, isLinear } from "../fields.js";
import { band } from "../histories.js";
import { plainLabel } from "../labels.js";
import { lineStyles } from "../palette.js";
import { curves } from "../plot/curves.js";
import { plotly } from "../plot/plotly.js";
import { span } from "../plot/ticks.js";

/** Name the fields that are drawn of a problem; `entry` is its kind in the catalogue. */
export function fieldsOf({ has_test_data: hasTestData }, { kind, dataset, test_share: share = null, resolved = null }) {
  const isNumber = kind === "data" ? resolved?.classes === null : kind === "playground" && isRegression(dataset);
  const score = isNumber ? "r2" : "accuracy";
  return hasTestData && share !== 0 ? ["loss", `test_${score}`, "grad_norm", "test_loss"] : ["loss", score, "grad_norm"];
}
// The loss on test data is drawn beside that on training data, in the same colour.
const TEST_DASH = [1, 1.5];

/** Make the figures: {element, draw(histories, spec, state)}. */
export function figures({ catalogue, signal, scale }) {
  const [loss, accuracy, gradient] = ["large", "small", "small"].map((size) => h("div", { class: size }));
  // Plotly is needed soon, and takes about a second to load.
  plotly().catch(() => {});
  const caption = h("p", { class: "caption" });
  const charts = [loss, accuracy, gradient].map((element) => curves(element, signal));
  const names = [h("figcaption", {}), h("figcaption", {}), h("figcaption", {})];
  const switches = h("div", { class: "row switches" });
  const element = h(
    "div",
    { class: "figures", hidden: true },
    h("div", { class: "row heading" }, caption, switches),
    h("figure", { class: "first" }, names[0], loss),
    h("div", { class: "pair" }, h("figure", {}, names[1], accuracy), h("figure", {}, names[2], gradient)),
  );
  const toggle = (axis, name, state) =>
    h(
      "div",
      { class: "group", role: "group", "aria-label": `Scale of ${name}` },
      ["linear", "log"].map((kind) =>
        h(
          "button",
          { type: "button", "aria-pressed": String(state[axis] === kind), onclick: () => scale({ [axis]: kind }) },
          `${kind === "log" ? "log" : "linear"} ${name}`,
        ),
      ),
    );
  let scales = "";

  function draw(histories, { problem, optimizers, epochs }, state) {
    const fields = fieldsOf(catalogue.problem(problem.kind), problem);
    const groups = histories.byLabel();
    const list = optimizers.filter(({ label }) => groups.has(label));
    if (!list.length) return;
    element.hidden = false;
    if (scales !== state.x + state.y) {
      scales = state.x + state.y;
      switches.replaceChildren(toggle("y", "loss", state), toggle("x", "epochs", state));
    }
    const many = Math.max(...list.map(({ label }) => groups.get(label).length));
    caption.textContent =
      many > 1
        ? `Median of ${many} seeds, with the middle half of them as a band.`
        : "One seed: a single run says little.";
    const styles = () => lineStyles(optimizers.map(({ kind }) => kind));
    const seen = Math.max(...[...histories.runs.values()].map(({ epoch }) => epoch.at(-1) ?? 0));
    fields.slice(0, charts.length).forEach((field, at) => {
      const bands = list.map(({ label }) => band(groups.get(label), field));
      const drawn = bands.map((one) => (state.x === "log" ? without(one) : one));
      const tests = field === "loss" && fields.includes("test_loss") ? list.map(({ label }) => tested(groups.get(label), state)) : [];
      names[at].textContent = fieldTitle(field);
      charts[at].draw({
        series: () => {
          const style = ({ label }) => styles()[optimizers.findIndex((one) => one.label === label)];
          return [
            ...list.map((one, which) => ({ label: one.label, style: style(one), ...drawn[which] })),
            ...tests.flatMap((test, which) =>
              test.x.length
                ? [{ label: `${plainLabel(list[which].label)}, test`, style: { ...style(list[which]), dash: TEST_DASH }, ...test }]
                : [],
            ),
          ];
        },
        xTitle: "epoch",
        // The axis has the length of the whole training, as soon as the curves are long enough to be visible on it.
        xRange:
          seen * 4 >= epochs ? span([state.x === "log" ? 1 : 0, Math.max(2, epochs)], state.x === "log") : undefined,
        yTitle: fieldTitle(field),
        logX: state.x === "log",
        logY: isLinear(field) ? false : state.y === "linear" ? false : "auto",
      });
    });
  }

  return {
    element,
    draw,
    /** Mark an epoch in all figures; null removes the mark. */
    rule: (epoch) => charts.forEach((chart) => chart.rule(epoch)),
    hide: () => {
      element.hidden = true;
    },
  };
}

/** Give the median of the loss on test data, without a band. */
function tested(runs, { x }) {
  const of = band(runs, "test_loss");
  return { ...(x === "log" ? without(of) : of), low: null, high: null };
}

/** Remove epoch 0, which a logarithmic axis cannot show. */
function without({ x, y, low, high }) {
  const from = x.findIndex((epoch) => epoch > 0);
  if (from < 0) return { x: [], y: [], low: null, high: null };
  return { x: x.slice(from), y: y.slice(from), low: low?.slice(from) ?? null, high: high?.slice(from) ?? null };
}

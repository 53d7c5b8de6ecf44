// Parallel coordinates of the settings of a searched label: an axis for each hyper-parameter, and one for the final loss.
import { get } from "../api.js";
import { depict } from "../depiction.js";
import { h, newId, svg } from "../dom.js";
import { count, short } from "../format.js";
import { hyperParameterName, labelOf, nameOf } from "../labels.js";
import { isTuned } from "../grids.js";
import { mark } from "../marks.js";
import { failure } from "../states.js";

const [WIDTH, HEIGHT, SIDE, TOP, BOTTOM] = [720, 260, 60, 34, 12];
// Runs that are read, the best first.
const MOST = 500;
const LOSS = "final loss";

/** Make the part: {element, load()}; hidden where no label was searched. */
export function parallel({ id, spec }, signal) {
  const searched = spec.optimizers.filter(isTuned);
  const choose = h(
    "select",
    { id: newId("label"), onchange: () => load() },
    searched.map((entry) => h("option", { value: labelOf(entry) }, nameOf(entry))),
  );
  const place = h("div", {});
  const says = h("output", { class: "caption" });
  const range = h("input", { type: "range", min: 1, value: 1, "aria-label": "Setting by rank", oninput: () => show() });
  const element = h(
    "section",
    { class: "panel parallel", "aria-label": "Settings side by side", hidden: true },
    h("h2", {}, "Settings side by side"),
    h("div", { class: "row" }, h("label", { for: choose.id }, "Optimizer"), choose),
    place,
    h("div", { class: "row" }, range, says),
  );
  let found = [];
  let names = [];
  let lines = [];

  async function load() {
    if (!searched.length) return;
    try {
      const query = new URLSearchParams({ label: choose.value, sort: "final_loss", limit: String(MOST) });
      const { items, next } = await get(`/v1/jobs/${id}/runs?${query}`, { signal });
      found = settingsOf(items);
      names = [...new Set(found.flatMap(({ values }) => Object.keys(values)))].filter(
        (name) => new Set(found.map(({ values }) => values[name])).size > 1,
      );
      element.hidden = found.length < 3 || !names.length;
      if (!element.hidden) draw(next !== null);
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(failure(error));
    }
  }

  function draw(isCut) {
    const axes = [
      ...names.map((name) => ({ title: hyperParameterName(name), of: (one) => one.values[name] })),
      { title: LOSS, of: (one) => one.loss },
    ];
    const scaled = axes.map((axis) => ({ ...axis, ...scaleOf(found.map(axis.of)) }));
    const x = (at) => SIDE + (at * (WIDTH - 2 * SIDE)) / (scaled.length - 1);
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "coordinates" });
    lines = found.map((one) => {
      const points = scaled.map((axis, at) => `${x(at).toFixed(1)} ${axis.place(axis.of(one)).toFixed(1)}`);
      return svg("path", { d: `M${points.join("L")}` });
    });
    picture.append(...lines.toReversed(), ...scaled.flatMap((axis, at) => axisLines(axis, x(at))));
    picture.addEventListener("pointermove", (event) => {
      const at = lines.indexOf(/** @type {SVGElement} */ (event.target));
      if (at >= 0) show(at + 1);
    });
    range.max = String(found.length);
    const all = `${count(found.length, "setting")} over ${axes.map(({ title }) => title).join(", ")}`;
    depict(picture, `${all}. The best: ${words(0)}. The worst: ${words(found.length - 1)}.`);
    place.replaceChildren(
      picture,
      h("p", { class: "caption" }, `${all}${isCut ? `, of the ${MOST} best runs` : ""}. The lowest loss is at the bottom.`),
    );
    show(1);
    mark(element, "drawn", found.length);
  }

  function show(rank = Number(range.value)) {
    range.value = String(rank);
    lines.forEach((line, at) => line.classList.toggle("chosen", at === rank - 1));
    says.textContent = `${rank} of ${found.length}: ${words(rank - 1)}`;
  }

  const words = (at) =>
    [
      ...names.map((name) => `${hyperParameterName(name)} ${short(found[at].values[name])}`),
      found[at].loss === null ? "diverged" : `${LOSS} ${short(found[at].loss)}`,
    ].join(", ");

  return { element, load };
}

/** Give the settings of runs with the median of their final losses, the best first; a diverged one has null. */
function settingsOf(runs) {
  const groups = new Map(runs.map(({ label }) => [label, []]));
  for (const run of runs) groups.get(run.label).push(run);
  const settings = [...groups.values()].map((group) => {
    const losses = group.map(({ status, final_loss: loss }) => (status === "diverged" ? Infinity : Number(loss ?? Infinity)));
    const middle = losses.sort((one, other) => one - other)[losses.length >> 1];
    const { parameters = {}, ...own } = group[0].optimizer;
    const numbers = Object.entries({ ...own, ...parameters }).filter(([, value]) => typeof value === "number");
    return { values: Object.fromEntries(numbers), loss: Number.isFinite(middle) ? middle : null };
  });
  return settings.sort((one, other) => (one.loss ?? Infinity) - (other.loss ?? Infinity));
}

/** Give the ends of an axis and the place of a value; null is above all others. */
function scaleOf(values) {
  const known = values.filter((value) => value !== null);
  const [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  const measure = low > 0 && high / low > 20 ? Math.log : Number;
  const share = (value) => (measure(value) - measure(low)) / (measure(high) - measure(low) || 1);
  const place = (value) => HEIGHT - BOTTOM - (value === null ? 1.06 : share(value)) * (HEIGHT - TOP - BOTTOM - 16);
  return { low, high, place };
}

function axisLines({ title, low, high, place }, x) {
  return [
    svg("path", { d: `M${x} ${place(low)}V${place(high)}`, class: "axis" }),
    svg("text", { x, y: 14, "text-anchor": "middle" }, title),
    svg("text", { x: x + 5, y: place(high) + 4 }, short(high)),
    svg("text", { x: x + 5, y: place(low) }, short(low)),
  ];
}

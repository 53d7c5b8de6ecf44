// All pairs of labels in a matrix: the ratio or difference of the row to the column, marked where the interval excludes 0.
import { h } from "../dom.js";
import { plainLabel } from "../labels.js";
import { hasIntervals, isRatio, pairOf, pairWords, sizeAlone } from "../pairs.js";
import { named } from "../plot/swatch.js";

// Most labels of a matrix; the API has all pairs.
const MAX_LABELS = 20;
const LOOKS = {
  1: ["better", "▲"],
  0: [null, ""],
  [-1]: ["worse", "▽"],
};
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Make the matrix with its caption; nothing for a single label. `styles` has the styles of compared labels. */
export function matrix(found, styles) {
  const labels = found.ranks.slice(0, MAX_LABELS).map(({ label }) => label);
  if (labels.length < 2) return [];
  const hint = "Point at a cell, or choose one with the arrow keys.";
  const detail = h("p", { class: "caption detail" }, hint);
  const cells = labels.map((row) => labels.map((column) => cellOf(found, row, column)));
  const flat = cells.flat();
  flat[1].tabIndex = 0;

  const tell = (cell) => {
    detail.textContent = cell?.getAttribute("aria-label") ?? hint;
  };
  function focused({ target }) {
    for (const cell of flat) cell.tabIndex = cell === target ? 0 : -1;
    tell(target);
  }
  function pressed(event) {
    const at = flat.indexOf(event.target);
    const row = Math.floor(at / labels.length);
    const column = at % labels.length;
    const last = labels.length - 1;
    const [down, right] = STEPS[event.key] ?? [0, { Home: -last, End: last }[event.key] ?? 0];
    if (at < 0 || !(event.key in STEPS || event.key === "Home" || event.key === "End")) return;
    event.preventDefault();
    const within = (value) => Math.min(last, Math.max(0, value));
    cells[within(row + down)][within(column + right)].focus();
  }

  const grid = h(
    "table",
    {
      role: "grid",
      "aria-label": "All pairs of labels",
      onkeydown: pressed,
      onfocusin: (event) => flat.includes(event.target) && focused(event),
      onpointerover: ({ target }) => tell(target.closest("td[aria-label]")),
    },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "col" }, isRatio(found) ? "row ÷ column" : "row − column"),
        labels.map((label) => h("th", { scope: "col" }, plainLabel(label))),
      ),
    ),
    h(
      "tbody",
      {},
      labels.map((label, at) => h("tr", {}, h("th", { scope: "row" }, named(label, styles)), cells[at])),
    ),
  );
  return [
    h("h3", {}, "All pairs"),
    h("div", { class: "table matrix" }, grid),
    detail,
    h("p", { class: "caption" }, legend(found, labels)),
  ];
}

function cellOf(found, row, column) {
  if (row === column) return h("td", { tabindex: -1, "aria-label": `${plainLabel(row)} itself` }, "·");
  const pair = pairOf(found, row, column);
  const [look, sign] = LOOKS[pair?.better ?? 0];
  const words = pairWords(found, row, column);
  return h(
    "td",
    { tabindex: -1, class: look, title: words, "aria-label": words },
    pair ? sizeAlone(found, pair) : "–",
    sign ? h("span", { "aria-hidden": "true" }, ` ${sign}`) : "",
  );
}

function legend(found, labels) {
  const signs = hasIntervals(found)
    ? `▲ the row is better, ▽ the column is better: the interval excludes ${isRatio(found) ? "a ratio of 1" : "0"}. Pairs without a sign cannot be told apart.`
    : "There are no intervals: nothing is marked.";
  const left = found.ranks.length - labels.length;
  return left > 0 ? `${signs} The first ${labels.length} of ${found.ranks.length} labels by mean.` : signs;
}

// A heat map whose cells can be chosen: Plotly draws the colours, an overlay the rest, in plain SVG.
//
// Every cell has the same size, so that lists and unequal steps are read as well as ranges: places are indices of values.
import { colour, onAppearance } from "../appearance.js";
import { h, newId } from "../dom.js";
import { countUp } from "../marks.js";
import { CONFIG, SCALE, axis, layout, onResize, plotly } from "./plotly.js";
import { placedTicks } from "./ticks.js";

// Room for a colour bar; a map of categories has none.
const BAR = 92;
const NS = "http://www.w3.org/2000/svg";

/**
 * Make the map: {element, draw(map), select(cell)}; `choose([row, column])` is called by click and arrow keys.
 *
 * A map is {x: {title, values}, y, z: [Y][X] of numbers or null, colours, hatches: [[row, column, pattern], …] or a
 * function of a cell, best, line: [[x, y], …], label}; rows go upwards.
 */
export function heatmap({ signal, choose }) {
  const figure = h("div", { class: "fill" });
  const overlay = svg("svg", { class: "fill overlay", tabindex: 0, role: "img" });
  const element = h("div", { class: "plot heatmap" }, figure, overlay);
  // Plotly is needed soon, and takes about a second to load.
  plotly().catch(() => {});
  const hatch = newId("hatch");
  let map = null;
  let selected = null;

  const margin = () => ({ l: 64, r: map.colours.ticks ? BAR : 12, t: 8, b: 46 });
  const inner = () => ({
    width: element.clientWidth - margin().l - margin().r,
    height: element.clientHeight - margin().t - margin().b,
  });
  const rows = () => map.y.values.length;
  const columns = () => map.x.values.length;

  async function draw(next = map) {
    if (!next) return;
    map = next;
    const Plotly = await plotly();
    if (signal.aborted || map !== next) return;
    const { z, colours } = map;
    const trace = {
      type: "heatmap",
      z,
      hoverinfo: "skip",
      zmin: colours.from,
      zmax: colours.to,
      colorscale: colours.scale ?? SCALE,
      showscale: Boolean(colours.ticks),
      colorbar: colours.ticks && {
        thickness: 10,
        outlinewidth: 0,
        xpad: 6,
        x: 1,
        len: 1,
        ticklen: 3,
        tickvals: colours.ticks.values,
        ticktext: colours.ticks.texts,
        tickfont: { size: 11, color: colour("--quiet") },
        title: { text: colours.title, side: "right", font: { size: 12, color: colour("--quiet") } },
      },
    };
    const { width, height } = inner();
    const side = ({ title, values }, pixels, each) =>
      axis(title, {
        range: [-0.5, values.length - 0.5],
        showgrid: false,
        showline: false,
        tickmode: "array",
        ...placedTicks(values, Math.max(3, Math.floor(pixels / each))),
      });
    await Plotly.react(
      figure,
      [trace],
      layout({
        width: element.clientWidth,
        height: element.clientHeight,
        margin: margin(),
        hovermode: false,
        xaxis: side(map.x, width, 58),
        yaxis: side(map.y, height, 28),
      }),
      CONFIG,
    );
    cover();
    countUp(element, "drawn");
  }

  /** Draw what is over the colours: what diverged, the line, the best cell and the chosen one. */
  function cover() {
    const { width, height } = inner();
    const [wide, tall] = [width / columns(), height / rows()];
    const box = ([row, column]) => ({ x: column * wide, y: height - (row + 1) * tall, width: wide, height: tall });
    const parts = [];
    for (const [pattern, cells] of grouped(map.hatches ?? [])) {
      // Neighbours in a row are one rectangle: a map of ten thousand cells has a few hundred of them.
      let path = "";
      for (const [row, from, to] of joined(cells)) {
        const { x, y } = box([row, from]);
        path += `M${x.toFixed(1)} ${y.toFixed(1)}h${((to - from + 1) * wide).toFixed(1)}v${tall.toFixed(1)}H${x.toFixed(1)}z`;
      }
      parts.push(svg("path", { d: path, class: `hatched ${pattern}`, fill: `url(#${hatch}-${pattern})` }));
    }
    for (const { points, text } of map.lines ?? []) {
      const places = points.map(
        ([x, y]) => `${((x + 0.5) * wide).toFixed(1)} ${(height - (y + 0.5) * tall).toFixed(1)}`,
      );
      parts.push(
        svg("path", { d: `M${places.join("L")}`, class: "limit-halo" }),
        svg("path", { d: `M${places.join("L")}`, class: "limit-line" }),
      );
      const title = svg("title", {});
      title.textContent = text;
      parts.at(-1).append(title);
    }
    for (const {
      at: [x, y],
      text,
    } of map.marks ?? []) {
      const mark = svg("text", {
        x: (x + 0.5) * wide,
        y: height - (y + 0.5) * tall,
        class: "mark",
        "text-anchor": "middle",
        "dominant-baseline": "central",
      });
      mark.textContent = text;
      parts.push(mark);
    }
    if (map.best) {
      const { x, y } = box(map.best);
      const radius = Math.max(5, Math.min(10, wide / 3, tall / 3));
      for (const kind of ["halo", "ring"])
        parts.push(svg("circle", { cx: x + wide / 2, cy: y + tall / 2, r: radius, class: `best-${kind}` }));
    }
    if (selected) {
      const one = box(selected);
      for (const kind of ["halo", "frame"]) parts.push(svg("rect", { ...one, class: `selected-${kind}` }));
    }
    const frame = svg("svg", { x: margin().l, y: margin().t, width, height });
    frame.append(...parts);
    overlay.replaceChildren(definitions(hatch), frame);
    overlay.setAttribute("aria-label", map.label);
  }

  function select(cell) {
    selected = cell;
    if (map) cover();
  }

  const cellAt = ({ clientX, clientY }) => {
    const { left, top } = element.getBoundingClientRect();
    const { width, height } = inner();
    const column = Math.floor(((clientX - left - margin().l) / width) * columns());
    const row = Math.floor((1 - (clientY - top - margin().t) / height) * rows());
    return row >= 0 && row < rows() && column >= 0 && column < columns() ? [row, column] : null;
  };
  overlay.addEventListener("click", (event) => {
    const cell = map && cellAt(event);
    if (cell) choose(cell);
  });
  overlay.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
    if (!step || !map || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [row, column] = selected ?? map.best ?? [0, 0];
    const inside = (place, size) => Math.min(size - 1, Math.max(0, place));
    choose([inside(row + step[0], rows()), inside(column + step[1], columns())]);
  });
  overlay.addEventListener("pointermove", (event) => {
    const cell = map && cellAt(event);
    const text = cell ? map.tell?.(cell) : "";
    if (element.title !== text) element.title = text ?? "";
  });
  onResize(element, () => draw(), signal);
  onAppearance(() => draw(), signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(figure));
  return { element, draw, select };
}

function svg(name, attributes) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function grouped(hatches) {
  const groups = new Map();
  for (const [row, column, pattern] of hatches) {
    if (!groups.has(pattern)) groups.set(pattern, []);
    groups.get(pattern).push([row, column]);
  }
  return groups;
}

/** Join cells that are neighbours in a row: [row, first column, last column]. */
function joined(cells) {
  const spans = [];
  for (const [row, column] of cells) {
    const last = spans.at(-1);
    if (last && last[0] === row && last[2] === column - 1) last[2] = column;
    else spans.push([row, column, column]);
  }
  return spans;
}

/** Patterns that can be distinguished without colours. */
function definitions(name) {
  const made = svg("defs", {});
  const paths = {
    lost: "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    cross: "M0 8L8 0M0 0L8 8",
    rows: "M0 4H8",
    columns: "M4 0V8",
    back: "M0 0L8 8M-2 6L2 10M6 -2L10 2",
    dots: "M3 4a1 1 0 1 0 2 0a1 1 0 1 0 -2 0",
  };
  for (const [kind, d] of Object.entries(paths)) {
    const pattern = svg("pattern", { id: `${name}-${kind}`, width: 8, height: 8, patternUnits: "userSpaceOnUse" });
    pattern.append(svg("path", { d, class: `pattern ${kind}` }));
    made.append(pattern);
  }
  return made;
}

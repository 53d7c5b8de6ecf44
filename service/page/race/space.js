// The surface in three dimensions: the colours of the map, the start, the minima, and a ball that rolls on each path.
import { colour } from "../appearance.js";
import { lessMotion } from "../dom.js";
import { plainLabel } from "../labels.js";
import { countUp } from "../marks.js";
import { CONFIG, layout, plotly } from "../plot/plotly.js";
import { heights } from "../plot/ground.js";
import { balls, cornersAt, turns } from "./balls.js";

const CONTOURS = 14;
// Traces before those of the race: the surface, start and minima, and their wires.
const FIXED = 3;
const EYE = { x: 0.9, y: -1.25, z: 1.45 };
const ABOVE = { x: 0, y: -0.01, z: 2.2 };
const CENTRE = { x: 0, y: 0, z: -0.15 };
// Lengths of the sides of the scene.
const SIDES = { x: 1.4, y: 1.1, z: 0.7 };
const TILT_MS = 250;
// Half the size of the wires at a minimum, as a share of the picture, and the lines of one of its three rings.
const RING = 0.035;
const CORNERS = 24;
// Paths lie above the surface by a share of its height, so that it does not hide them.
const LIFT = 0.012;
// Height of a name above its path, in units of the scene: the surface then hides no letter of it.
const NAME_ABOVE = 0.07;
// Room above the highest point, as a share of the height.
const HEADROOM = 0.05;

/**
 * Make the figure: {draw({map, paths, step, start, height}), show(step), clear()}.
 *
 * `height` is "true", the loss itself, or "log", its logarithm above the lowest in sight. Both have the colours of the map.
 */
export function space(element, signal) {
  let drawn = null;
  let units = [1, 1, 1];
  let isTilted = false;
  signal.addEventListener("abort", () => window.Plotly?.purge(element));

  async function draw({ map, paths, step, start, height }) {
    const Plotly = await plotly();
    const found = map.dimension === 2 ? heights(map) : null;
    if (!found || signal.aborted) return;
    const scale = height === "log" ? logarithmic(found) : plain(map, found);
    units = unitsOf(map, scale);
    drawn = paths
      .filter(({ faint }) => !faint)
      .map(({ losses, ...rest }) => ({ ...rest, levels: losses.map(scale.level) }))
      .map((path) => ({ ...path, turned: turns(path.points, path.levels, units) }));
    const lines = drawn.map((path) => ({
      type: "scatter3d",
      mode: "lines",
      name: plainLabel(path.label),
      line: { color: path.style.colour, width: 6 },
      hoverinfo: "name",
      ...upTo(path, step),
    }));
    await Plotly.react(
      element,
      [
        surface(map, found, scale),
        fixed(map, { start, loss: paths[0]?.losses[0] }, scale),
        wires(map, scale),
        heads(drawn, step, units),
        balls(drawn, step, units, colour("--ground")),
        ...lines,
      ],
      framed(element, map, scale),
      CONFIG,
    );
    if (!isTilted) tilt(Plotly);
    countUp(element, "drawn");
  }

  /** Move the camera from above, where the picture is the map, to the side. */
  function tilt(Plotly) {
    isTilted = true;
    if (lessMotion()) return;
    const began = performance.now();
    const move = (now) => {
      const share = Math.min(1, (now - began) / TILT_MS);
      const soft = share * share * (3 - 2 * share);
      const eye = Object.fromEntries(Object.entries(EYE).map(([side, to]) => [side, ABOVE[side] + (to - ABOVE[side]) * soft]));
      if (signal.aborted || element.hidden) return;
      Plotly.relayout(element, { "scene.camera": { eye, center: CENTRE } });
      if (share < 1) requestAnimationFrame(move);
    };
    requestAnimationFrame(move);
  }

  function show(step) {
    if (!drawn?.length || !window.Plotly) return;
    const parts = [heads(drawn, step, units), cornersAt(drawn, step, units), ...drawn.map((path) => upTo(path, step))];
    const change = Object.fromEntries(["x", "y", "z"].map((side) => [side, parts.map((part) => part[side])]));
    const places = parts.map((_, at) => at + FIXED);
    window.Plotly.restyle(element, change, places);
  }

  /** Remove the paths; the surface stays. */
  function clear() {
    if (!drawn?.length || !window.Plotly) return;
    window.Plotly.deleteTraces(element, [FIXED, FIXED + 1, ...drawn.map((_, at) => at + FIXED + 2)]);
    drawn = null;
  }

  return { draw, show, clear };
}

/** Heights are logarithms of the loss above the lowest in sight. */
function logarithmic(found) {
  const { from, to, lowest } = found;
  const level = (loss) =>
    Math.min(to, Math.max(from, Math.log10(Math.max(loss - lowest, 1e-300)))) + (to - from) * LIFT;
  return { rows: found.rows, from, to, level, title: "log₁₀ (loss − lowest)" };
}

/** Heights are the loss itself, up to where the map has its last colour: the rim of a steep surface is cut off. */
function plain(map, { to: top, lowest }) {
  const to = lowest + 10 ** top;
  const cut = (loss) => (loss !== null && Number.isFinite(Number(loss)) ? Math.min(to, Number(loss)) : null);
  const level = (loss) => Math.min(to, loss) + (to - lowest) * LIFT;
  return { rows: map.loss.map((row) => row.map(cut)), from: lowest, to, level, title: "loss" };
}

/** Give the length of 1 along each axis in the scene. */
const unitsOf = (map, { from, to }) => [
  SIDES.x / (map.x.at(-1) - map.x[0]),
  SIDES.y / (map.y.at(-1) - map.y[0]),
  SIDES.z / ((to - from) * (1 + HEADROOM)),
];

/** The surface in the colours of the map, whatever its heights are. */
const surface = (map, found, { rows, from, to }) => ({
  type: "surface",
  x: map.x,
  y: map.y,
  z: rows,
  surfacecolor: found.rows,
  cmin: found.from,
  cmax: found.to,
  colorscale: [
    [0, colour("--low")],
    [1, colour("--high")],
  ],
  showscale: false,
  hoverinfo: "skip",
  // Little shade: the colours are those of the map.
  lighting: { ambient: 0.92, diffuse: 0.12, specular: 0, fresnel: 0 },
  contours: {
    z: { show: true, color: colour("--quiet"), width: 1, start: from, end: to, size: (to - from) / CONTOURS },
  },
});

/** The start and the minima. */
function fixed(map, { start, loss }, { level }) {
  const near = (point) => Number(map.loss[nearest(map.y, point[1])]?.[nearest(map.x, point[0])]);
  const points = [{ position: start, value: loss ?? null }, ...map.minima];
  const from = (side) => points.map(({ position }) => position[side]);
  return {
    type: "scatter3d",
    mode: "markers",
    hoverinfo: "text",
    text: points.map((_, at) => (at ? "minimum" : "start")),
    marker: {
      color: colour("--ink"),
      size: points.map((_, at) => (at ? 5 : 7)),
      symbol: points.map((_, at) => (at ? "cross" : "circle-open")),
    },
    x: from(0),
    y: from(1),
    z: points.map(({ position, value }) => level(value ?? near(position))),
  };
}

/** A ball of wire at each minimum: three rings, which hide no path. */
function wires(map, { from, to, level }) {
  const half = [map.x.at(-1) - map.x[0], map.y.at(-1) - map.y[0], to - from].map((range) => range * RING);
  const known = map.minima.filter(({ value }) => value !== null);
  const points = known.flatMap(({ position, value }) =>
    [[0, 1], [0, 2], [1, 2]].flatMap((sides) => [
      ...Array.from({ length: CORNERS + 1 }, (_, at) => {
        const point = [...position, level(value)];
        const angle = (2 * Math.PI * at) / CORNERS;
        point[sides[0]] += half[sides[0]] * Math.cos(angle);
        point[sides[1]] += half[sides[1]] * Math.sin(angle);
        return point;
      }),
      [null, null, null],
    ]),
  );
  const side = (at) => points.map((point) => point[at]);
  const line = { color: colour("--ink"), width: 1.5 };
  return { type: "scatter3d", mode: "lines", hoverinfo: "skip", line, x: side(0), y: side(1), z: side(2) };
}

const nearest = (values, one) =>
  Math.min(
    values.length - 1,
    Math.max(0, Math.round(((one - values[0]) / (values.at(-1) - values[0])) * (values.length - 1))),
  );

/** The name at the current step of each path, above its ball. */
function heads(drawn, step, units) {
  const last = drawn.map(({ points, levels }) => {
    const at = Math.min(step, points.length - 1);
    return [...points[at], levels[at] + NAME_ABOVE / units[2]];
  });
  return {
    type: "scatter3d",
    mode: "text",
    hoverinfo: "skip",
    text: drawn.map(({ label }) => plainLabel(label)),
    textposition: "top center",
    textfont: { size: 13, color: drawn.map(({ style }) => style.colour) },
    x: last.map(([x]) => x),
    y: last.map(([, y]) => y),
    z: last.map(([, , z]) => z),
  };
}

function upTo({ points, levels }, step) {
  const walked = points.slice(0, step + 1);
  return { x: walked.map(([x]) => x), y: walked.map(([, y]) => y), z: levels.slice(0, step + 1) };
}

function framed(element, map, { from, to, title }) {
  const quiet = {
    color: colour("--quiet"),
    gridcolor: colour("--faint"),
    backgroundcolor: colour("--ground"),
    showspikes: false,
  };
  return layout({
    width: element.clientWidth,
    height: element.clientHeight,
    margin: { l: 0, r: 0, t: 0, b: 0 },
    uirevision: "kept",
    scene: {
      xaxis: { ...quiet, range: [map.x[0], map.x.at(-1)], title: { text: "x" } },
      yaxis: { ...quiet, range: [map.y[0], map.y.at(-1)], title: { text: "y" } },
      zaxis: { ...quiet, range: [from, to + (to - from) * HEADROOM], title: { text: title } },
      aspectratio: SIDES,
      camera: { eye: EYE, center: CENTRE },
    },
  });
}

// The surface under the paths: contours in two dimensions, a curve in one, drawn by Plotly once for each part of the plane.
import { colour } from "../appearance.js";
import { CONFIG, axis, layout, plotly } from "./plotly.js";

export const MARGIN = { l: 46, r: 12, t: 8, b: 34 };
const LEVELS = 18;
// Lowest contour above the minimum, as a share of the range of the loss.
const FLOOR = 1e-4;
const FLOOR_AT_POLES = 0.05;

// Beside poles this share of the values on either side is beyond the colours, and beyond the axis of a curve.
const TAIL = 0.04;

/** List the finite numbers of a map. */
const known = (values) => values.filter((value) => value !== null).map(Number).filter(Number.isFinite);

/** Give the height above the lowest point in sight on a logarithmic scale, and where colours begin and end. */
export function heights({ loss, minima, hasPoles = false }) {
  const flat = known(loss.flat()).sort((one, other) => one - other);
  if (!flat.length) return null;
  // At a pole the lowest value depends on where the samples lie.
  const lowest = Math.min(flat[hasPoles ? Math.floor(flat.length * TAIL) : 0], ...minima.map(({ value }) => value).filter((value) => value !== null));
  const highest = flat[Math.floor((flat.length - 1) * (hasPoles ? 1 - TAIL : 0.995))] - lowest || 1;
  const floor = highest * (hasPoles ? FLOOR_AT_POLES : FLOOR);
  const height = (value) =>
    value !== null && Number.isFinite(Number(value)) ? Math.log10(Math.max(Number(value) - lowest, floor)) : null;
  return {
    rows: loss.map((row) => (Array.isArray(row) ? row.map(height) : height(row))),
    from: Math.log10(floor),
    to: Math.log10(highest),
    lowest,
  };
}

/** Draw the map into an element. In one dimension it is the curve itself; gives the ends of the picture. */
export async function drawGround(element, map, frame) {
  const Plotly = await plotly();
  const size = { width: element.clientWidth, height: element.clientHeight, margin: MARGIN };
  if (map.dimension === 1) {
    const values = map.loss.map((value) => (value === null ? null : Number(value)));
    const sorted = known(values).sort((one, other) => one - other);
    const [low, high] = (map.hasPoles ? [TAIL, 1 - TAIL] : [0, 1]).map((share) => sorted[Math.floor((sorted.length - 1) * share)]);
    const ends = [frame[0], frame[1], low - (high - low) * 0.08, high + (high - low) * 0.05];
    const line = {
      x: map.x,
      y: values,
      mode: "lines",
      line: { color: colour("--quiet"), width: 1.5 },
      hoverinfo: "skip",
    };
    await Plotly.react(
      element,
      [line],
      layout({ ...size, xaxis: axis("x", { range: ends.slice(0, 2) }), yaxis: axis("loss", { range: ends.slice(2) }) }),
      CONFIG,
    );
    return ends;
  }
  const found = heights(map);
  const contours = found && {
    type: "contour",
    x: map.x,
    y: map.y,
    z: found.rows,
    showscale: false,
    hoverinfo: "skip",
    colorscale: [
      [0, colour("--low")],
      [1, colour("--high")],
    ],
    zmin: found.from,
    zmax: found.to,
    line: { width: 0.5, color: colour("--quiet"), smoothing: 0.6 },
    contours: { start: found.from, end: found.to, size: (found.to - found.from) / LEVELS },
  };
  const axes = {
    xaxis: axis("x", { range: frame.slice(0, 2), showgrid: false }),
    yaxis: axis("y", { range: frame.slice(2), showgrid: false }),
  };
  await Plotly.react(element, contours ? [contours] : [], layout({ ...size, ...axes }), CONFIG);
  return frame;
}

/** Choose the part of the plane to draw first: where a surface is usually drawn, or around the start of a formula. */
export function firstFrame(surface, start) {
  if (surface) {
    const ends = surface.domain.map(([from, to]) => [from - (to - from) * 0.02, to + (to - from) * 0.02]).flat();
    const inside = start.every((value, at) => value >= ends[2 * at] && value <= ends[2 * at + 1]);
    if (inside) return ends;
    return ends.map((end, at) =>
      at % 2 ? Math.max(end, start[at >> 1] * 1.05) : Math.min(end, start[at >> 1] * 1.05),
    );
  }
  const reach = Math.max(3, ...start.map((value) => Math.abs(value) * 1.25));
  return start.flatMap(() => [-reach, reach]);
}

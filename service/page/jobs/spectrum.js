// The curvatures at a minimum on a logarithmic axis, with the largest curvature at which each drawn setting is stable.
import { h, svg } from "../dom.js";
import { number, short } from "../format.js";
import { plainLabel } from "../labels.js";

// Most settings with a line; the table below has all of them.
const MAX_LINES = 8;
const [WIDTH, SIDE, TOP, TICKS, LINE, AXIS] = [720, 24, 8, 34, 22, 36];

/** Draw the spectrum; [] where fewer than two curvatures other than 0 are known. */
export function spectrumFigure({ problem, settings }, styles) {
  const values = problem.spectrum.map(number).filter((value) => value > 0);
  if (values.length < 2) return [];
  const drawn = settings
    .map(({ label, sharpness_ceiling: ceiling, lr_limit: limit }) => ({ label, ceiling: number(ceiling), limit }))
    .filter(({ label, ceiling, limit }) => styles.has(label) && limit !== null && ceiling > 0 && Number.isFinite(ceiling))
    .slice(0, MAX_LINES);
  const ends = [...values, ...drawn.map(({ ceiling }) => ceiling)].map(Math.log10);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const x = (value) => SIDE + ((Math.log10(value) - low) / (high - low || 1)) * (WIDTH - 2 * SIDE);
  const bottom = TOP + TICKS + drawn.length * LINE;
  const said =
    `${values.length} curvatures from ${short(values[0])} to ${short(values.at(-1))}` +
    drawn.map(({ label, ceiling }) => `; ${plainLabel(label)} is stable below ${short(ceiling)}`).join("");
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${bottom + AXIS}`, class: "spectrum", role: "img", "aria-label": said });
  for (const value of values) {
    picture.append(svg("path", { d: `M${x(value)} ${TOP}V${TOP + TICKS - 10}`, class: "eigenvalue" }));
  }
  drawn.forEach(({ label, ceiling }, at) => picture.append(...limit(label, x(ceiling), TOP + TICKS + at * LINE, styles.get(label))));
  picture.append(svg("path", { d: `M${SIDE} ${bottom}H${WIDTH - SIDE}`, class: "axis" }), ...decades(low, high, x, bottom));
  const caption = drawn.length
    ? "Each mark is a curvature at the minimum. A setting is stable where its line ends to the right of all marks."
    : "Each mark is a curvature at the minimum.";
  return [h("figure", { class: "spectrum" }, picture, h("figcaption", { class: "caption" }, caption))];
}

/** Draw the curvatures at which a setting is stable, from 0 to its ceiling. */
function limit(label, end, y, { colour, dash }) {
  const dashes = dash.map((part) => part * 2).join(" ");
  const before = end > WIDTH / 2;
  return [
    svg("path", { d: `M${SIDE} ${y}H${end}`, class: "limit", stroke: colour, "stroke-dasharray": dashes }),
    svg("path", { d: `M${end} ${y - 6}V${y + 6}`, class: "limit", stroke: colour }),
    svg("text", { x: before ? end - 6 : end + 6, y: y - 5, "text-anchor": before ? "end" : "start" }, plainLabel(label)),
  ];
}

/** Label powers of ten, at most about eight of them. */
function decades(low, high, x, y) {
  const step = Math.max(1, Math.ceil((high - low) / 8));
  const powers = [];
  for (let power = Math.ceil(low / step) * step; power <= high; power += step) powers.push(power);
  const places = powers.length > 1 ? powers.map((power) => 10 ** power) : [10 ** low, 10 ** high];
  const ticks = places.flatMap((value) => [
    svg("path", { d: `M${x(value)} ${y}V${y + 4}`, class: "axis" }),
    svg("text", { x: x(value), y: y + 17, "text-anchor": "middle" }, short(value)),
  ]);
  return [...ticks, svg("text", { x: WIDTH / 2, y: y + 32, "text-anchor": "middle" }, "curvature")];
}

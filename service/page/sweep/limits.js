// The limit of stability of theory, as a line over the map.
import { number, short } from "../format.js";
import { theoryOf } from "../landscape.js";
import { placeOf } from "../plot/ticks.js";

// Number of points of the line.
const MOST_POINTS = 24;

/** Give the line [{points: [[x, y], …], text}] in places of cells; [] without theory, or if no axis is the learning rate. */
export async function limitLines(catalogue, problem, optimizer, { x, y }, signal) {
  if (!catalogue.isLandscape(problem) || (x.name !== "lr" && y.name !== "lr")) return [];
  const [rates, other] = x.name === "lr" ? [x, y] : [y, x];
  const step = Math.max(1, Math.floor((other.values.length - 1) / (MOST_POINTS - 1)));
  const places = other.values.map((_, at) => at).filter((at) => at % step === 0 || at === other.values.length - 1);
  const list = places.map((at) => ({ ...optimizer, lr: rates.values[0], [other.name]: other.values[at] }));
  const found = await theoryOf(catalogue, problem, list, signal);
  const points = places.flatMap((at, which) => {
    const limit = number(found[which]?.setting.lr_limit ?? null);
    if (!(limit > 0) || !Number.isFinite(limit)) return [];
    const place = placeOf(rates.values, limit);
    return [x.name === "lr" ? [place, at] : [at, place]];
  });
  if (points.length < 2) return [];
  // The line goes to the edges of the outer cells.
  const side = x.name === "lr" ? 1 : 0;
  const edge = (from, to, by) => from.map((one, at) => one + ((one - to[at]) / Math.abs(from[side] - to[side])) * by);
  points.unshift(edge(points[0], points[1], 0.5));
  points.push(edge(points.at(-1), points.at(-2), 0.5));
  const limits = found.map((one) => number(one?.setting.lr_limit ?? null)).filter(Number.isFinite);
  return [{ points, text: `Limit of stability: rate ${short(Math.min(...limits))} to ${short(Math.max(...limits))}` }];
}

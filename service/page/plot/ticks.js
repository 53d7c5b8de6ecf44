// Ends and ticks of axes, on logarithmic and linear scales.
import { short } from "../format.js";

/** Give the ends of an axis around values, as Plotly wants them: logarithms for a logarithmic axis. */
export function span(values, log) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value) || (log && value <= 0)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return log ? [-1, 1] : [0, 1];
  const [from, to] = log ? [Math.log10(low), Math.log10(high)] : [low, high];
  const room = (to - from || Math.abs(to) * 0.1 || 1) * 0.04;
  return [from - room, to + room];
}

/** Whether a logarithmic axis is possible and useful for values. */
export const fitsLog = (values) =>
  values.some((value) => Number.isFinite(value)) && values.every((value) => !(value <= 0));

/** Move heights apart so that texts of a height do not overlap, each as near to its own as it goes. */
export function spread(heights, least, room) {
  const order = heights.map((_, at) => at).sort((one, other) => heights[one] - heights[other]);
  const places = [...heights];
  order.forEach((at, rank) => {
    if (rank) places[at] = Math.max(places[at], places[order[rank - 1]] + least);
  });
  let limit = room;
  for (const at of order.toReversed()) {
    places[at] = Math.min(places[at], limit);
    limit = places[at] - least;
  }
  return places;
}

/** Find the place of a number among sorted values, between neighbours by equal ratios; outside it goes on as at the edge. */
export function placeOf(values, one) {
  const last = values.length - 1;
  if (last < 1) return 0;
  const after = values.findIndex((value) => value > one);
  const at = after < 0 ? last - 1 : Math.max(0, after - 1);
  const [low, high] = [values[at], values[at + 1]];
  return at + (low > 0 && one > 0 ? Math.log(one / low) / Math.log(high / low) : (one - low) / (high - low));
}

/**
 * Label a logarithmic axis between two powers: with digits 1, 2, 5 over a few decades, else with decades alone.
 *
 * @param {number[]} ends
 * @param {number} most
 */
export function logTicks([from, to], most) {
  const decades = [];
  for (let power = Math.floor(from); power <= to; power += 1) decades.push(power);
  const within = (list) => list.filter((one) => Math.log10(one) >= from && Math.log10(one) <= to);
  const choices = [[1, 2, 5], [1, 3], [1]].map((digits) =>
    within(decades.flatMap((power) => digits.map((digit) => Number(`${digit}e${power}`)))),
  );
  let found = choices.find((list) => list.length <= most);
  for (let step = 2; !found; step += 1) {
    const fewer = within(decades.filter((power) => power % step === 0).map((power) => Number(`1e${power}`)));
    if (fewer.length <= most) found = fewer;
  }
  return found.length > 1 ? { tickmode: "array", tickvals: found, ticktext: found.map((one) => short(one)) } : {};
}

/** Choose what is written beside cells of one size: round numbers where their steps are even, else values of cells. */
export function placedTicks(values, most) {
  const written = (numbers, places) => ({
    tickvals: places,
    ticktext: numbers.map((one) => short(one).replace(/\.?0+e/, "e")),
  });
  const round = values.length > most ? rounded(values, most) : null;
  if (round)
    return written(
      round,
      round.map((one) => placeOf(values, one)),
    );
  const step = Math.max(1, Math.ceil(values.length / most));
  const places = values.map((_, at) => at).filter((at) => at % step === 0);
  return written(
    places.map((at) => values[at]),
    places,
  );
}

/** Give round numbers between the ends of a range, or null where the values are none. */
function rounded(values, most) {
  const [from, to] = [values[0], values.at(-1)];
  if (!(to > from)) return null;
  const even = (change) => {
    const steps = values.slice(1).map((value, at) => change(value, values[at]));
    return Math.max(...steps) - Math.min(...steps) < 1e-6 * Math.abs(steps[0]);
  };
  if (even((one, before) => one - before)) {
    const rough = (to - from) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * [1, 2, 5, 10].find((digit) => digit * power >= rough * 0.999);
    const first = Math.ceil(from / step - 1e-9);
    return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, at) =>
      Number(((first + at) * step).toPrecision(12)),
    );
  }
  if (!(from > 0) || !even((one, before) => one / before)) return null;
  for (const digits of [[1, 2, 5], [1, 3], [1]]) {
    const found = [];
    for (let power = Math.floor(Math.log10(from)); power <= Math.log10(to); power += 1) {
      for (const digit of digits) {
        const one = Number((digit * 10 ** power).toPrecision(3));
        if (one >= from * 0.999 && one <= to * 1.001) found.push(one);
      }
    }
    if (found.length <= most) return found.length > 1 ? found : null;
  }
  return null;
}

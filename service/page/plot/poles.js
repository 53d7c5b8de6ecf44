// Maps of surfaces in the browser, and the poles of a map: between +∞ and −∞ there is no wall.

const SAMPLES = 50;
const HALVINGS = 30;
// Between a pole's sides the difference grows without bound while they come closer; of a step it stays.
const GROWTH = 4;

/** Compute the map of a surface over a frame: {dimension, x, y, loss}, as the service gives it. */
export function mapOf(surface, frame, num = SAMPLES) {
  const side = (from, to) => Array.from({ length: num }, (_, at) => from + ((to - from) * at) / (num - 1));
  const x = side(frame[0], frame[1]);
  const gradient = [0, 0];
  if (frame.length === 2) return { dimension: 1, x, y: null, loss: x.map((one) => surface([one], gradient)) };
  const y = side(frame[2], frame[3]);
  return { dimension: 2, x, y, loss: y.map((two) => x.map((one) => surface([one, two], gradient))) };
}

/** Give a map with null beside each pole across which the loss changes its sign; `hasPoles` where there is one. */
export function withoutPoles(map, surface) {
  const gradient = [0, 0];
  const at = (point) => surface(point, gradient);
  const rows = (map.dimension === 1 ? [map.loss] : map.loss).map((row) => row.map((one) => (one === null ? null : Number(one))));
  const lost = [];
  rows.forEach((row, line) => {
    const of = (place) => at(map.dimension === 1 ? [place] : [place, map.y[line]]);
    for (const column of beside(row, map.x, of)) lost.push([line, column]);
  });
  if (map.dimension === 2)
    map.x.forEach((place, column) => {
      const values = rows.map((row) => row[column]);
      for (const line of beside(values, map.y, (other) => at([place, other]))) lost.push([line, column]);
    });
  for (const [line, column] of lost) rows[line][column] = null;
  return { ...map, loss: map.dimension === 1 ? rows[0] : rows, hasPoles: lost.length > 0 };
}

/** List the places of values next to a pole: of its two sides the larger. */
function beside(values, places, of) {
  const found = [];
  for (let at = 1; at < values.length - 2; at += 1) {
    const [before, left, right, after] = [values[at - 1], values[at], values[at + 1], values[at + 2]];
    const jump = right - left;
    // On both sides the values run away from the other side.
    const isAway = (left - before) * jump < 0 && (after - right) * jump < 0 && left * right < 0;
    if (isAway && grows(places[at], places[at + 1], of)) found.push(Math.abs(left) > Math.abs(right) ? at : at + 1);
  }
  return found;
}

/** Whether the difference between two places grows while they come closer. */
function grows(from, to, of) {
  let [low, high] = [from, to];
  let [left, right] = [of(low), of(high)];
  const first = Math.abs(right - left);
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    const value = of(middle);
    if (!Number.isFinite(value)) return true;
    if (Math.abs(value - left) > Math.abs(right - value)) [high, right] = [middle, value];
    else [low, left] = [middle, value];
  }
  return Math.abs(right - left) > GROWTH * first;
}

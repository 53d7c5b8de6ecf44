// What an axis shows: where it begins and ends, on a logarithmic scale or a linear one.

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

/** Whether values can be drawn on a logarithmic axis and are worth it. */
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

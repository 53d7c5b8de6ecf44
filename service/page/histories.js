// The histories of the runs of a job as they arrive, and their medians and quartiles over seeds.

/** Rows gathered per run: {id, label, seed, epoch: [], loss: [], …} in the order in which runs first appeared. */
export class Histories {
  constructor() {
    this.runs = new Map();
  }

  /** Add the rows of an event or of a page; what is not finite becomes NaN or an infinity. */
  add(runs) {
    for (const { run_id: id, label, seed, ...columns } of runs) {
      let run = this.runs.get(id);
      if (!run) this.runs.set(id, (run = { id, label, seed, epoch: [] }));
      for (const [field, values] of Object.entries(columns)) {
        if (!Array.isArray(values)) continue;
        run[field] ??= [];
        for (const value of values) run[field].push(read(value));
      }
    }
    return this;
  }

  /** Remove all rows. */
  clear() {
    this.runs.clear();
  }

  /** List the runs of each label. */
  byLabel() {
    const groups = new Map();
    for (const run of this.runs.values()) {
      if (!groups.has(run.label)) groups.set(run.label, []);
      groups.get(run.label).push(run);
    }
    return groups;
  }
}

function read(value) {
  if (typeof value === "number" || value === null) return value;
  return Array.isArray(value) ? value.map(read) : Number(value);
}

/**
 * Smooth values by an exponential mean: each weighs `weight` times as much as the next one. The mean is divided by the
 * sum of its weights, so that it does not begin at 0. What is not finite, or null, stays as it is and has no weight.
 */
export function smoothed(values, weight) {
  let [sum, weights] = [0, 0];
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return value;
    sum = weight * sum + (1 - weight) * value;
    weights = weight * weights + (1 - weight);
    return sum / weights;
  });
}

/**
 * Give median and quartiles of a field over runs, epoch by epoch: {x, y, low, high}, low and high null for one run.
 *
 * A diverged run counts as infinite; without it the setting would look better than it is.
 */
export function band(runs, field) {
  const grid = [...new Set(runs.flatMap((run) => run.epoch))].sort((one, other) => one - other);
  const at = new Map(grid.map((epoch, index) => [epoch, index]));
  const ends = runs.map((run) => (isFinite(run[field]?.at(-1) ?? 0) ? null : (run.epoch.at(-1) ?? null)));
  const columns = grid.map(() => []);
  runs.forEach((run, which) => {
    let before = null;
    run.epoch.forEach((epoch, index) => {
      const value = run[field]?.[index];
      if (value === null || value === undefined) return;
      const here = { place: at.get(epoch), value: Number.isNaN(value) ? Infinity : value };
      // Thinned histories have different epochs: a median over only the runs with a row would jump.
      for (let place = (before?.place ?? here.place) + 1; place < here.place; place += 1) {
        columns[place].push(between(before, here, grid[place], grid));
      }
      columns[here.place].push(here.value);
      before = here;
    });
    if (ends[which] !== null)
      for (let index = at.get(ends[which]) + 1; index < grid.length; index += 1) columns[index].push(Infinity);
  });
  const kept = grid.map((epoch, index) => index).filter((index) => columns[index].length);
  const sorted = kept.map((index) => columns[index].sort((one, other) => one - other));
  const many = runs.length > 1;
  return {
    x: kept.map((index) => grid[index]),
    y: sorted.map((values) => quantile(values, 0.5)),
    low: many ? sorted.map((values) => quantile(values, 0.25)) : null,
    high: many ? sorted.map((values) => quantile(values, 0.75)) : null,
  };
}

function between(before, after, epoch, grid) {
  if (!Number.isFinite(after.value)) return before.value;
  const [from, to] = [grid[before.place], grid[after.place]];
  return before.value + ((after.value - before.value) * (epoch - from)) / (to - from);
}

/** Give a quantile of sorted values, between neighbours as numpy's default does. */
function quantile(sorted, share) {
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const part = place - below;
  return part === 0 ? sorted[below] : sorted[below] * (1 - part) + sorted[below + 1] * part;
}

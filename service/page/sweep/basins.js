// Basins: for each start the minimum in which its run ends, another place, or divergence.
import { get } from "../api.js";
import { count, short } from "../format.js";
import { spaced } from "../grids.js";
import { Histories } from "../histories.js";
import { survey } from "../landscape.js";

// Pale colours of Okabe and Ito, each with a pattern, for readers who cannot distinguish the colours.
const COLOURS = ["#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#0072b2", "#f0e442", "#8a8f98", "#d55e00"];
const PATTERNS = [null, "rows", "dots", "back", "columns", "cross", null, "lost"];
const MOST_MINIMA = 6;
const [ELSEWHERE, DIVERGED] = [MOST_MINIMA, MOST_MINIMA + 1];
// A run that is nearer to a minimum than this part of the picture has arrived there.
const NEAR = 0.02;
// A smaller share of runs that end together does not count as a place of its own.
const OFTEN = 0.05;

/** Read where all runs of a job ended, and give the map of it: what heatmap.draw takes, and the legend. */
export async function basins(job, signal) {
  const { starts, start: _, ...problem } = job.spec.problem;
  const [x, y] = [starts.x, starts.y].map(spaced);
  const [{ minima }, ends] = await Promise.all([
    survey({ ...problem, noise: 0, start: [x[0], y[0]] }, [0, 1, 0, 1], signal, 2),
    read(job, x.length * y.length, signal),
  ]);
  const reach = NEAR * Math.hypot(x.at(-1) - x[0], y.at(-1) - y[0]);
  const known = [...minima.map(({ position }) => position), ...gathered([...ends.values()], minima, reach)].slice(
    0,
    MOST_MINIMA,
  );
  const kindOf = (end) => {
    if (!end) return null;
    if (!end.every(Number.isFinite)) return DIVERGED;
    const nearest = nearestOf(known, end);
    return nearest && nearest.distance <= reach ? nearest.at : ELSEWHERE;
  };
  // x is the outer one of the starts.
  const kinds = y.map((_, row) => x.map((_, column) => kindOf(ends.get(column * y.length + row))));
  const name = (kind) =>
    kind === null
      ? "not recorded"
      : kind === DIVERGED
        ? "diverged"
        : kind === ELSEWHERE
          ? "elsewhere"
          : `${kind < minima.length ? "minimum" : "resting place"} ${kind + 1} at (${known[kind].map((one) => short(Math.abs(one) < reach * 1e-3 ? 0 : one)).join(", ")})`;
  const flat = kinds.flat();
  const used = [...new Set(flat)].filter((kind) => kind !== null).sort((one, other) => one - other);
  const legend = used.map((kind) => ({
    text: `${name(kind)}: ${count(flat.filter((one) => one === kind).length, "start")}`,
    colour: COLOURS[kind],
    pattern: PATTERNS[kind],
  }));
  return {
    legend,
    map: {
      x: { title: "start, x", values: x },
      y: { title: "start, y", values: y },
      z: kinds,
      colours: {
        from: -0.5,
        to: COLOURS.length - 0.5,
        scale: COLOURS.flatMap((one, at) => [
          [at / COLOURS.length, one],
          [(at + 1) / COLOURS.length, one],
        ]),
      },
      hatches: kinds.flatMap((row, at) =>
        row.flatMap((kind, column) => (kind !== null && PATTERNS[kind] ? [[at, column, PATTERNS[kind]]] : [])),
      ),
      marks: known.map((position, at) => ({
        at: [placeLinear(x, position[0]), placeLinear(y, position[1])],
        text: String(at + 1),
      })),
      tell: ([row, column]) => `from (${short(x[column])}, ${short(y[row])}): ${name(kinds[row][column])}`,
      label: `Map of ${flat.length} starts by where they end: ${legend.map(({ text }) => text).join("; ")}. Arrow keys choose a start.`,
    },
    startAt: ([row, column]) => [x[column], y[row]],
  };
}

const placeLinear = (values, one) =>
  values.length < 2 ? 0 : ((one - values[0]) / (values.at(-1) - values[0])) * (values.length - 1);

/** Read the last position of each start's first seed, by index; the last row of a run that diverged is not finite. */
async function read(job, num, signal) {
  const histories = new Histories();
  for (let cursor = ""; cursor !== null;) {
    const page = await get(
      `/v1/jobs/${job.id}/metrics?fields=loss,position&max_points=2&limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
      { signal },
    );
    histories.add(page.runs);
    cursor = page.next;
  }
  const ends = new Map();
  for (const run of histories.runs.values()) {
    // The last 32 bits of a run's id are its index and one.
    const index = parseInt(run.id.slice(-8), 16) - 1;
    if (index >= num) continue;
    const hasDiverged = !Number.isFinite(run.loss.at(-1)) || run.epoch.at(-1) < job.spec.epochs;
    ends.set(index, hasDiverged ? [NaN, NaN] : run.position.at(-1));
  }
  return ends;
}

function nearestOf(places, [x, y]) {
  const distances = places.map((place) => Math.hypot(x - place[0], y - place[1]));
  const at = distances.indexOf(Math.min(...distances));
  return at < 0 ? null : { at, distance: distances[at] };
}

/** Find where many runs rest besides the minima of the catalogue, such as shallow wells: those first where most do. */
function gathered(ends, minima, reach) {
  const places = [];
  for (const end of ends.filter((one) => one.every(Number.isFinite))) {
    const known = nearestOf(
      minima.map(({ position }) => position),
      end,
    );
    if (known && known.distance <= reach) continue;
    const near = nearestOf(
      places.map(({ at }) => at),
      end,
    );
    if (near && near.distance <= reach) places[near.at].num += 1;
    else places.push({ at: end, num: 1 });
  }
  const many = places.filter(({ num }) => num >= ends.length * OFTEN);
  return many.sort((one, other) => other.num - one.num).map(({ at }) => at);
}

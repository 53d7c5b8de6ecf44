// Conversion of the histories of a job: a racer for each optimizer, with its paths.
import { band } from "../histories.js";
import { lineStyles } from "../palette.js";

/** Give a racer for each optimizer of a spec, from the runs by label: settings, style, runs, median and band of the loss. */
export function racersOf(spec, groups) {
  const styles = lineStyles(spec.optimizers.map(({ kind }) => kind));
  return spec.optimizers.map((one, at) => {
    const runs = groups.get(one.label) ?? [];
    return {
      ...one,
      style: styles[at],
      runs,
      steps: spec.epochs,
      firstLoss: runs[0]?.loss[0],
      band: band(runs, "loss"),
    };
  });
}

/** Give racers their colours again, after light has become dark. */
export function restyled(race) {
  const styles = lineStyles(race.map(({ kind }) => kind));
  return race.map((one, at) => ({ ...one, style: styles[at] }));
}

/** In one dimension the loss is the second coordinate of the picture. */
export const onPicture = (point, loss) => (point.length === 1 ? [point[0], loss] : point);

/** Give the paths of a racer: a run is its path; of many seeds the median path lies over a light cloud. */
export function pathsOf({ runs, label, style, steps, band: of }) {
  const all = runs.map(({ position, loss }) => ({
    style,
    points: position.map((point, at) => onPicture(point, loss[at])),
    losses: loss,
    faint: runs.length > 1,
  }));
  const ended = ({ epoch, loss }) => epoch.at(-1) < steps || !Number.isFinite(loss.at(-1));
  const ends = runs.filter(ended).map(({ epoch }) => epoch.at(-1));
  const diverged = ends.length > runs.length / 2 ? Math.min(...ends) : null;
  if (all.length === 1) return [{ ...all[0], label, diverged }];
  const walked = diverged === null ? of.x : of.x.filter((step) => step <= diverged);
  const points = walked.map((_, at) => [0, 1].map((side) => middle(all.map(({ points: one }) => one[at]?.[side]))));
  return [...all, { style, label, diverged, points, losses: of.y, faint: false }];
}

function middle(values) {
  const known = values.filter((value) => Number.isFinite(value)).sort((one, other) => one - other);
  return known.at(known.length >> 1);
}

// The stable learning rate of a method on a surface: a share of the limit that its own runs find.
import { pathOf, ruleOf } from "./path.js";
import { computable } from "./race.js";

// Rates from 10 down to 1e-9, eight to a decade.
const HIGHEST = 8;
const LOWEST = -72;
const PER_DECADE = 8;
// The share of the limit of stability: near it a method oscillates, and its limit falls where the surface gets steeper.
const SHARE = 1 / 3;

// How far a run may leave the usual part of the plane, as a share of its size: where a loss has no bound, all rates descend.
const MARGIN = 0.25;

// How far a run may climb above its start, as a share of its descent: methods with a velocity cross small hills.
const SLACK = 0.05;

/** Whether a run is stable: it reaches its last step, is not above its start, and stays in the usual part of the plane. */
export function isStable({ epoch, loss, position }, steps, domain = null) {
  const isInside = (one, side) => {
    const [from, to] = domain[side];
    return one >= from - MARGIN * (to - from) && one <= to + MARGIN * (to - from);
  };
  const ceiling = loss[0] + SLACK * (loss[0] - Math.min(...loss));
  const isDescent = epoch.at(-1) === steps && loss.at(-1) <= loss[0] && loss.every((one) => one <= ceiling);
  return isDescent && (domain === null || position.every((point) => point.every(isInside)));
}

/**
 * Give a stable rate of an optimizer from a start, or null where there is none or the engine has no program for it.
 *
 * `first` is taken where it is stable. Else it is a third of the largest rate below which all rates on a grid are stable.
 * `domain` is the usual part of the plane.
 */
export function stableRate({ surface, start, steps, one, item, first, domain }) {
  const parts = computable(one, item);
  if (!parts) return null;
  const rule = ruleOf(parts.rule, start.length);
  const isGood = (lr) =>
    isStable(pathOf({ surface, rule, entry: { ...parts.entry, lr }, start, steps }), steps, domain);
  if (first !== undefined && isGood(first)) return first;
  let limit = null;
  for (let place = LOWEST; place <= HIGHEST; place += 1) {
    const rate = 10 ** (place / PER_DECADE);
    if (!isGood(rate)) {
      if (limit !== null) break;
      continue;
    }
    limit = rate;
  }
  return limit === null ? null : Number((limit * SHARE).toPrecision(2));
}

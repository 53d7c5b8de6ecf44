// Pairs of labels of a comparison: the difference of one to another, with the interval that holds for all pairs at once.
import { count, estimate, number, short } from "./format.js";
import { plainLabel } from "./labels.js";

/** Whether any pair has an interval; without one nothing is marked and no rank is shown. */
export const hasIntervals = ({ pairs }) => pairs.some(({ low }) => low !== null);

/** The labels to mark as best: those that the answer names, unless it cannot exclude a single label. */
export const marked = ({ best, ranks }) => (best.length < ranks.length ? best : []);

/** Whether labels are compared by ratios; else by differences. */
export const isRatio = ({ criterion }) => criterion.scale === "log";

/**
 * Give the difference of a label to another: {size, better, seeds, p, probability}; null if they were not compared.
 *
 * `size` is a ratio on a logarithmic scale, else a difference. `better` is 1 or −1 where the interval excludes 0.
 */
export function pairOf(found, label, other) {
  const pair = found.pairs.find(({ a, b }) => (a === label && b === other) || (a === other && b === label));
  if (!pair) return null;
  const turned = pair.a !== label;
  const negative = (value) => -value;
  const [low, high] = ends(pair.low, pair.high, turned && negative);
  const sign = low === null ? 0 : low > 0 ? 1 : high < 0 ? -1 : 0;
  return {
    size: isRatio(found)
      ? sized(pair.ratio, pair.ratio_low, pair.ratio_high, turned && ((value) => 1 / value))
      : sized(pair.difference, pair.low, pair.high, turned && negative),
    better: found.criterion.larger_is_better ? sign : 0 - sign,
    seeds: pair.seeds,
    p: pair.p,
    probability: sized(
      pair.probability_better.value,
      pair.probability_better.low,
      pair.probability_better.high,
      turned && ((value) => 1 - value),
    ),
  };
}

function ends(low, high, turn) {
  const both = [number(low), number(high)];
  if (both.includes(null)) return [null, null];
  return turn ? both.map(turn).reverse() : both;
}

function sized(value, low, high, turn) {
  const [from, to] = ends(low, high, turn);
  const one = number(value);
  return { value: one === null || !turn ? one : turn(one), low: from, high: to };
}

/** Write the size of a difference with its interval: "0.307 (0.13 to 0.726)". */
export const sizeWords = (found, { size }) => estimate(size, digits(found, size));

/** Write the size of a difference alone. */
export const sizeAlone = (found, { size }) => short(size.value, digits(found, size));

/** Give a ratio near 1 enough digits to show its distance from 1. */
function digits(found, { value }) {
  if (!isRatio(found) || value === null || !Number.isFinite(value)) return 3;
  return Math.min(8, Math.max(3, Math.ceil(-Math.log10(Math.abs(value - 1))) + 2));
}

/** Describe a pair in a sentence. */
export function pairWords(found, label, other) {
  const pair = pairOf(found, label, other);
  const [one, two] = [label, other].map(plainLabel);
  if (!pair) return `${one} and ${two} were not compared.`;
  const size = `${isRatio(found) ? "ratio" : "difference"} ${sizeWords(found, pair)}`;
  const seeds = count(pair.seeds, "seed");
  if (pair.size.low === null) return `${one} to ${two}: ${size}, ${seeds}, no interval.`;
  const [first, second] = pair.better < 0 ? [two, one] : [one, two];
  const apart = pair.better ? `${first} is better than ${second}` : `${one} and ${two} cannot be told apart`;
  return (
    `${apart}: ${size} of ${one} to ${two}, ${seeds}, adjusted p ${short(pair.p, 2)}. ` +
    `Probability that ${one} is better on a new seed: ${estimate(pair.probability, 2)}.`
  );
}

// What a figure shows, in words, for those who do not see it.
import { short } from "./format.js";
import { plainLabel } from "./labels.js";

// Most lines that are told one by one.
const MOST = 12;

/** Say where each curve ends, with its band there: the text of a figure. `x` names the axis from left to right. */
export function curvesWords(title, series, x) {
  const ends = series.flatMap(({ label, x: places, y, low, high }) => {
    if (!y.length) return [];
    const band = low ? ` (${short(low.at(-1))} to ${short(high.at(-1))})` : "";
    return `${plainLabel(label)} ends at ${short(y.at(-1))}${band} at ${x} ${short(places.at(-1))}`;
  });
  const rest = ends.length > MOST ? [`${ends.length - MOST} more`] : [];
  return `${title} over ${x}: ${[...ends.slice(0, MOST), ...rest].join("; ")}.`;
}

/**
 * Say what a heat map shows: the range of its numbers, and how many of its cells are lost, with the box they lie in.
 *
 * `x` and `y` are {title, values}; `values` [Y][X] are numbers, null where nothing is known, infinite where a run diverged;
 * `isLost(number)` tells a lost cell, and `lost` what happened in it.
 */
export function mapWords(title, { x, y, values, isLost, lost }) {
  const cells = values.flatMap((row, at) => row.map((value, column) => ({ value, x: x.values[column], y: y.values[at] })));
  const known = cells.filter(({ value }) => value !== null && !Number.isNaN(value));
  const finite = known.map(({ value }) => value).filter(Number.isFinite);
  const gone = known.filter(({ value }) => isLost(value));
  const range = finite.length ? `, from ${short(leastOf(finite))} to ${short(mostOf(finite))}` : "";
  const parts = [`${title} over ${between(x, x.values)} and ${between(y, y.values)}${range}.`];
  if (cells.length > known.length) parts.push(`${cells.length - known.length} of ${cells.length} cells have no number yet.`);
  if (gone.length) {
    const where = [[x, gone.map((one) => one.x)], [y, gone.map((one) => one.y)]].map(([axis, places]) => between(axis, places));
    const share = Math.round((100 * gone.length) / known.length);
    parts.push(`${gone.length} of ${known.length} cells (${share} %): ${lost}, at ${where.join(" and ")}.`);
  }
  return parts.join(" ");
}

/** Say what a network decides: the share of the square in each class or the range of its numbers, and the side of each. */
export function decisionWords(values, side, { isNumber }) {
  if (isNumber) return `Numbers from ${short(leastOf(values))} to ${short(mostOf(values))}${weight(values, side, 0).replace(/^,/, ", positive")}`;
  const share = Math.round((100 * values.filter((value) => value >= 0.5).length) / values.length);
  return `Class 1 in ${share} % of the square${weight(values, side, 0.5)}`;
}

/** Say where the values above a level lie, by the middle of their places; nothing where all or none are above it. */
function weight(values, side, level) {
  const above = values.flatMap((value, at) => (value >= level ? [[at % side, Math.floor(at / side)]] : []));
  if (!above.length || above.length === values.length) return ".";
  const [right, up] = [0, 1].map((part) => {
    const middle = above.reduce((sum, one) => sum + one[part], 0) / above.length;
    return (2 * middle) / (side - 1) - 1;
  });
  const words = [
    Math.abs(right) > AWAY ? (right > 0 ? "right" : "left") : null,
    Math.abs(up) > AWAY ? (up > 0 ? "top" : "bottom") : null,
  ].filter(Boolean);
  return words.length ? `, mostly at the ${words.reverse().join(" ")}.` : ", around the middle.";
}

// A middle that is farther away than this part of half the side is not in the middle.
const AWAY = 0.1;

const between = ({ title }, places) => {
  const [low, high] = [leastOf(places), mostOf(places)];
  return low === high ? `${title} ${short(low)}` : `${title} ${short(low)} to ${short(high)}`;
};
// Not Math.min(...): a map has more cells than a call takes arguments.
const leastOf = (numbers) => numbers.reduce((one, other) => (other < one ? other : one));
const mostOf = (numbers) => numbers.reduce((one, other) => (other > one ? other : one));

/** Give an element the text of the figure in it; none where it is empty. */
export function depict(element, text) {
  if (!text) {
    element.removeAttribute("role");
    element.removeAttribute("aria-label");
    return;
  }
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", text);
}

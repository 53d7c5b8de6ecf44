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

/** Give an element the text of the figure in it. */
export function depict(element, text) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", text);
}

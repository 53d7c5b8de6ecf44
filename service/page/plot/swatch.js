// A sample of a line: colour and dash as they are in the plots.
import { plainLabel } from "../labels.js";

/** Draw the sample of a style. */
export function swatch({ colour, dash }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 26 10");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = `<path d="M0 5H26" stroke="${colour}" stroke-width="3" stroke-dasharray="${dash.map((part) => part * 1.5).join(" ")}"/>`;
  return svg;
}

/** Name a setting beside its line, where it is drawn. */
export function named(label, styles) {
  const style = styles.get(label);
  return [...(style ? [swatch(style), " "] : []), plainLabel(label)];
}

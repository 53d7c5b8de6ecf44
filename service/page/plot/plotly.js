// Plotly, loaded once from this server, and the common style of its figures.
import { colour } from "../appearance.js";

let loading = null;

/** Load Plotly; browsers cache its script without a limit. */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("Plotly could not be loaded from this server."));
    document.head.append(script);
  });
  return loading;
}

export const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false, showTips: false };

/** Give an axis: thin, without a box; `title` says quantity and unit. */
export function axis(title, more = {}) {
  const quiet = colour("--quiet");
  return {
    title: { text: title, font: { size: 12, color: quiet }, standoff: 6 },
    gridcolor: colour("--faint"),
    linecolor: colour("--line"),
    tickcolor: colour("--line"),
    zeroline: false,
    showline: true,
    ticks: "outside",
    ticklen: 3,
    tickfont: { size: 11, color: quiet },
    automargin: false,
    exponentformat: "power",
    minexponent: 4,
    fixedrange: true,
    ...more,
  };
}

/** Give a layout with these axes and margins in the colours of the page. */
export function layout(more) {
  return {
    paper_bgcolor: "transparent",
    plot_bgcolor: "transparent",
    showlegend: false,
    hovermode: "closest",
    font: { family: "system-ui, sans-serif", size: 12, color: colour("--ink") },
    hoverlabel: {
      bgcolor: colour("--raised"),
      bordercolor: colour("--line"),
      font: { color: colour("--ink"), size: 12 },
    },
    margin: { l: 58, r: 16, t: 10, b: 44 },
    ...more,
  };
}

/** A perceptually uniform scale, also with colour vision deficiency (Nuñez, Anderton, Renslow, 2018). */
export const SCALE = "Cividis";

/** Call a function when an element's size has changed, until the signal aborts. */
export function onResize(element, listener, signal) {
  let size = "";
  const observer = new ResizeObserver(() => {
    const now = `${element.clientWidth}×${element.clientHeight}`;
    if (now !== size && element.clientWidth) {
      size = now;
      requestAnimationFrame(() => !signal.aborted && listener());
    }
  });
  observer.observe(element);
  signal.addEventListener("abort", () => observer.disconnect());
}

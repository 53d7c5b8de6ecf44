// Curves with bands over seeds, names at their ends, and a rule that other views move along.
import { onAppearance } from "../appearance.js";
import { curvesWords, depict } from "../depiction.js";
import { h } from "../dom.js";
import { short } from "../format.js";
import { plainLabel } from "../labels.js";
import { countUp } from "../marks.js";
import { plotlyDash } from "../palette.js";
import { CONFIG, axis, layout, onResize, plotly } from "./plotly.js";
import { fitsLog, logTicks, span, spread } from "./ticks.js";

const LINE = 15;
const ruler = document.createElement("canvas").getContext("2d");

/**
 * Make a figure of curves: `draw({series, …})` shows it, `clear()` removes it, `rule(x)` moves the rule.
 *
 * A series is {label, style, x, y, low, high}; style is from palette.js, low and high may be null.
 * The text of the figure is `text`, or says where each curve ends. Where there is no room for names at the lines' ends a legend stands above them, unless `legend` is false.
 */
export function curves(element, signal) {
  element.classList.add("plot");
  const figure = h("div", { style: { width: "100%", height: "100%" } });
  const rule = h("div", { class: "rule", hidden: true });
  element.append(figure, rule);
  let shown = null;
  let frame = null;
  let ruled = null;

  async function draw(what = shown) {
    if (!what) return;
    shown = what;
    const Plotly = await plotly();
    if (signal.aborted || shown !== what) return;
    const styled = typeof what.series === "function" ? what.series() : what.series;
    frame = framed(element, styled, what);
    await Plotly.react(figure, traces(styled), frame.layout, CONFIG);
    depict(figure, what.text ?? curvesWords(what.yTitle ?? "loss", styled, what.xTitle ?? "epoch"));
    countUp(element, "drawn");
    move(ruled);
  }

  function move(x) {
    ruled = x;
    rule.hidden = x === null || x === undefined || !frame;
    if (rule.hidden) return;
    const { left, top, width, height, x: ends, logX } = frame;
    const share = ((logX ? Math.log10(x) : x) - ends[0]) / (ends[1] - ends[0]);
    rule.style.height = `${height}px`;
    rule.style.transform = `translate(${left + Math.min(1, Math.max(0, share)) * width}px, ${top}px)`;
  }

  /** Remove everything. */
  function clear() {
    shown = frame = null;
    move(null);
    depict(figure, "");
    window.Plotly?.purge(figure);
  }

  onResize(element, () => draw(), signal);
  onAppearance(() => draw(), signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(figure));
  return { draw, clear, rule: move };
}

/** Choose scales and margins. */
function framed(
  element,
  series,
  { xTitle = "epoch", yTitle = "loss", logX = false, logY = "auto", xRange, shapes = [], legend = true },
) {
  const width = element.clientWidth;
  const height = element.clientHeight;
  const heights = series.flatMap(({ y, low, high }) => [...y, ...(low ?? []), ...(high ?? [])]);
  const log = logY === "auto" ? fitsLog(heights) : logY;
  const direct = width >= 440 && series.length <= height / LINE - 4;
  const right = direct ? Math.min(width * 0.4, 12 + Math.max(0, ...series.map(({ label }) => wide(plainLabel(label))))) : 14;
  const left = 62;
  const top = 8;
  const bottom = 46;
  // The scale follows the ends of the lines, so that a diverging run does not flatten all others.
  const drawn = heights.filter((value) => Math.abs(value) < 1e30);
  const y = span(drawn, log);
  const x =
    xRange ??
    span(
      series.flatMap((one) => one.x),
      logX,
    );
  const inner = height - top - bottom;
  const ends = series.map(({ y: values }) => {
    const last = values.findLast((value) => Number.isFinite(value) && (!log || value > 0));
    return inner * (1 - ((log ? Math.log10(last) : last) - y[0]) / (y[1] - y[0]));
  });
  const places = spread(
    ends.map((end) => Math.min(inner, Math.max(0, end || 0))),
    LINE,
    inner,
  );
  const annotations = direct
    ? series.map(({ label, style }, at) => ({
        text: escaped(plainLabel(label)),
        font: { color: style.colour, size: 12 },
        xref: "paper",
        yref: "paper",
        x: 1,
        y: 1 - places[at] / inner,
        xanchor: "left",
        yanchor: "middle",
        xshift: 6,
        showarrow: false,
      }))
    : [];
  const most = Math.max(3, Math.floor(inner / 40));
  return {
    left,
    top,
    width: width - left - right,
    height: inner,
    x,
    logX,
    layout: layout({
      width,
      height,
      annotations,
      shapes,
      margin: { l: left, r: right, t: top, b: bottom },
      hovermode: "x unified",
      showlegend: legend && !direct && series.length > 1,
      legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom", font: { size: 11 } },
      xaxis: axis(xTitle, { range: x, type: logX ? "log" : "linear", ...(logX ? logTicks(x, Math.max(3, (width - left - right) / 70)) : {}) }),
      yaxis: axis(yTitle, { range: y, type: log ? "log" : "linear", nticks: most, ...(log ? logTicks(y, most) : {}) }),
    }),
  };
}

/** Give the width of a label in pixels. */
function wide(label) {
  ruler.font = "12px system-ui, sans-serif";
  return ruler.measureText(label).width;
}

function traces(series) {
  const bands = series.flatMap(({ x, low, high, style }) => {
    if (!low) return [];
    const common = { x, mode: "lines", line: { width: 0 }, hoverinfo: "skip", showlegend: false };
    return [
      { ...common, y: low.map(finite) },
      { ...common, y: high.map(finite), fill: "tonexty", fillcolor: faded(style.colour) },
    ];
  });
  const lines = series.map(({ label, x, y, style, faint }) => ({
    x,
    y: y.map(finite),
    name: escaped(plainLabel(label)),
    mode: x.length > 1 ? "lines" : "markers",
    type: "scatter",
    opacity: faint ? 0.4 : 1,
    line: { color: style.colour, width: 2, dash: plotlyDash(style.dash) },
    customdata: y.map((value) => short(value)),
    hovertemplate: "%{customdata}",
  }));
  return [...bands, ...lines];
}

// Plotly draws nothing for values that are not finite; a huge number continues the line out of the picture.
const finite = (value) => (value === Infinity ? 1e300 : value);

/** Give a colour at a fifth of its strength. */
const faded = (hex) => `${hex}33`;

/** Escape a text, because Plotly interprets texts as a subset of HTML. */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

// The surface in three dimensions, with the paths on it.
import { colour } from "../appearance.js";
import { countUp } from "../marks.js";
import { CONFIG, SCALE, layout, plotly } from "../plot/plotly.js";
import { heights } from "./ground.js";

/** Make the figure: {draw(map, paths, step), show(step)}; heights are logarithms of the loss above the lowest in sight. */
export function space(element, signal) {
  let drawn = null;
  signal.addEventListener("abort", () => window.Plotly?.purge(element));

  async function draw(map, paths, step) {
    const Plotly = await plotly();
    const found = map.dimension === 2 ? heights(map) : null;
    if (!found || signal.aborted) return;
    const level = (loss) =>
      Math.min(found.to, Math.max(found.from, Math.log10(Math.max(loss - found.lowest, 1e-300)))) +
      (found.to - found.from) * 0.012;
    drawn = paths
      .filter(({ faint }) => !faint)
      .map(({ points, losses, ...rest }) => ({ ...rest, points, levels: losses.map(level) }));
    const surface = {
      type: "surface",
      x: map.x,
      y: map.y,
      z: found.rows,
      colorscale: SCALE,
      showscale: false,
      opacity: 0.92,
      hoverinfo: "skip",
      contours: {
        z: {
          show: true,
          color: colour("--line"),
          width: 1,
          start: found.from,
          end: found.to,
          size: (found.to - found.from) / 14,
        },
      },
    };
    const lines = drawn.map((path) => ({
      type: "scatter3d",
      mode: "lines",
      name: path.label,
      line: { color: path.style.colour, width: 6 },
      hoverinfo: "name",
      ...upTo(path, step),
    }));
    const quiet = {
      color: colour("--quiet"),
      gridcolor: colour("--faint"),
      backgroundcolor: colour("--ground"),
      showspikes: false,
    };
    const ends = { range: [map.x[0], map.x.at(-1)] };
    await Plotly.react(
      element,
      [surface, ...lines],
      layout({
        width: element.clientWidth,
        height: element.clientHeight,
        margin: { l: 0, r: 0, t: 0, b: 0 },
        uirevision: "kept",
        scene: {
          xaxis: { ...quiet, ...ends, title: { text: "x" } },
          yaxis: { ...quiet, range: [map.y[0], map.y.at(-1)], title: { text: "y" } },
          zaxis: { ...quiet, title: { text: "log₁₀ (loss − lowest)" } },
          aspectratio: { x: 1.4, y: 1.1, z: 0.7 },
          camera: { eye: { x: 1.2, y: -1.4, z: 1.0 } },
        },
      }),
      CONFIG,
    );
    countUp(element, "drawn");
  }

  function show(step) {
    if (!drawn?.length || !window.Plotly) return;
    const parts = drawn.map((path) => upTo(path, step));
    const numbers = drawn.map((_, at) => at + 1);
    window.Plotly.restyle(
      element,
      { x: parts.map(({ x }) => x), y: parts.map(({ y }) => y), z: parts.map(({ z }) => z) },
      numbers,
    );
  }

  const upTo = ({ points, levels }, step) => {
    const walked = points.slice(0, step + 1);
    return { x: walked.map(([x]) => x), y: walked.map(([, y]) => y), z: levels.slice(0, step + 1) };
  };

  return { draw, show };
}

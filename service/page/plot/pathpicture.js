// A picture of finished paths over the contours of their loss, without a clock.
import { h } from "../dom.js";
import { surfaceOf } from "../engine/path.js";
import { survey } from "../landscape.js";
import { onAppearance } from "../appearance.js";
import { depict } from "../depiction.js";
import { drawGround, firstFrame } from "./ground.js";
import { pathCanvas } from "./paths.js";
import { onResize } from "./plotly.js";
import { withoutPoles } from "./poles.js";

/** Whether the paths of a problem can be drawn: a landscape of one or two coordinates. */
export const isPlane = (problem, catalogue) =>
  catalogue.isLandscape(problem) && (problem.eigenvalues?.length ?? 2) <= 2 && !problem.shift_at;

/** Give the path of a run of `Histories`; in one dimension the loss is its second coordinate. */
export const pathOfRun = ({ position, loss }, label, style) => ({
  label,
  style,
  points: position.map((point, at) => (point.length === 1 ? [point[0], loss[at]] : point)),
  losses: loss,
  faint: false,
});

/** Make the picture: {element, draw({problem, start, paths, text})}; paths are those of `pathCanvas`. */
export function pathPicture({ catalogue, signal }) {
  const ground = h("div", { class: "ground" });
  const trail = h("canvas", { class: "trail", "aria-hidden": "true" });
  const canvas = h("canvas", { class: "paths" });
  const element = h("div", { class: "picture still" }, ground, trail, canvas);
  const path = pathCanvas(canvas, trail);
  let subject = null;
  let map = null;
  let frame = null;

  async function draw({ problem, start, paths, text }, by = signal) {
    const surface = catalogue.surfaces.find(({ name }) => name === problem.name) ?? null;
    const next = JSON.stringify([problem, start]);
    if (next !== subject) {
      frame = firstFrame(surface, start);
      const { starts, shift_at, shift_by, ...rest } = problem;
      const asked = { ...rest, start };
      const found = await survey(asked, frame, by);
      if (by.aborted) return;
      map = found.program ? withoutPoles(found, surfaceOf(found.program, found.dimension, problem.parameters)) : found;
      subject = next;
    }
    path.resize();
    path.recolour();
    await show();
    const flat = map.dimension === 1;
    path.fixed({
      start: flat ? [start[0], paths[0]?.losses[0]] : start,
      minima: map.minima.map(({ position, value }) => (flat ? [position[0], value] : position)),
    });
    path.paths(paths);
    path.show(Infinity);
    depict(element, text);
  }

  async function show() {
    if (map) path.frame(await drawGround(ground, map, frame));
  }

  const again = (refresh) => () => {
    refresh();
    show();
  };
  onResize(element, again(path.resize), signal);
  onAppearance(again(path.recolour), signal);
  signal.addEventListener("abort", () => window.Plotly?.purge(ground));
  return { element, draw };
}

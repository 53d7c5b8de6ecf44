// The paths over the contours, on two canvases: drawn pieces stay on the lower one, to which each step adds a piece.
import { colour } from "../appearance.js";
import { plainLabel } from "../labels.js";
import { MARGIN } from "./ground.js";

const CLOUD = 0.28;
// Far outside of every screen, but valid for a canvas.
const near = (share) => Math.min(50, Math.max(-50, share));

/**
 * Make the drawing on a canvas for heads, names and arrows, and one below it for the trail: {frame(ends), paths(list), show(step), …}.
 *
 * A path is {label, style, points: [[x, y], …], faint, bold, diverged}; points that are not finite end it.
 */
export function pathCanvas(canvas, trail) {
  const [over, behind] = [canvas.getContext("2d"), trail.getContext("2d")];
  let ends = [0, 1, 0, 1];
  let paths = [];
  let shown = 0;
  let fixed = { start: null, minima: [] };
  let arrows = [];
  // Read once: to read the size of an element for each point would take most of the time of a frame.
  const size = { width: 0, height: 0 };

  /** @type {(point: number[]) => [number, number]} */
  const place = ([x, y]) => {
    const width = size.width - MARGIN.l - MARGIN.r;
    const height = size.height - MARGIN.t - MARGIN.b;
    return [
      MARGIN.l + near((x - ends[0]) / (ends[1] - ends[0])) * width,
      MARGIN.t + near(1 - (y - ends[2]) / (ends[3] - ends[2])) * height,
    ];
  };

  /** Measure each path in pixels up to each of its points, so that dashes go on where the piece before ended. */
  function measure() {
    for (const path of paths) {
      if (path.faint || !path.style.dash.length) continue;
      let sum = 0;
      let [x, y] = place(path.points[0]);
      path.lengths = path.points.map((point) => {
        const [nextX, nextY] = place(point);
        sum += Math.hypot(nextX - x, nextY - y);
        [x, y] = [nextX, nextY];
        return sum;
      });
    }
  }

  function clip(context) {
    context.beginPath();
    context.rect(
      MARGIN.l,
      MARGIN.t,
      size.width - MARGIN.l - MARGIN.r,
      size.height - MARGIN.t - MARGIN.b,
    );
    context.clip();
  }

  /** Fit the canvas to its element and to the screen's pixels. */
  function resize() {
    const ratio = devicePixelRatio || 1;
    [size.width, size.height] = [canvas.clientWidth, canvas.clientHeight];
    for (const one of [canvas, trail]) {
      one.width = Math.round(size.width * ratio);
      one.height = Math.round(size.height * ratio);
      one.getContext("2d").setTransform(ratio, 0, 0, ratio, 0, 0);
    }
    again();
  }

  /** Draw the pieces of all paths from one step to another. */
  function walk(from, to) {
    behind.save();
    clip(behind);
    behind.lineJoin = behind.lineCap = "round";
    for (const { points, style, faint, lengths } of paths) {
      const last = Math.min(to, points.length - 1);
      const first = Math.min(from, last);
      if (last <= first) continue;
      behind.beginPath();
      behind.setLineDash(lengths ? style.dash.map((part) => part * 2) : []);
      behind.lineDashOffset = lengths?.[first] ?? 0;
      behind.moveTo(...place(points[first]));
      for (let at = first + 1; at <= last; at += 1) behind.lineTo(...place(points[at]));
      behind.strokeStyle = style.colour;
      behind.globalAlpha = faint ? CLOUD : 1;
      behind.lineWidth = faint ? 1 : 2;
      behind.stroke();
    }
    behind.restore();
  }

  function again() {
    measure();
    behind.clearRect(0, 0, size.width, size.height);
    walk(0, shown);
    compose();
  }

  function compose() {
    over.clearRect(0, 0, size.width, size.height);
    const ink = tones.ink;
    over.save();
    clip(over);
    for (const minimum of fixed.minima) cross(place(minimum), ink);
    for (const { points, style, faint } of paths) {
      const [x, y] = place(points[Math.min(shown, points.length - 1)]);
      over.globalAlpha = faint ? 0.5 : 1;
      over.beginPath();
      over.arc(x, y, faint ? 2 : 4.5, 0, 7);
      over.fillStyle = style.colour;
      over.fill();
      if (!faint) {
        over.lineWidth = 1.5;
        over.strokeStyle = tones.ground;
        over.stroke();
      }
    }
    over.globalAlpha = 1;
    for (const one of arrows) arrow(one);
    if (fixed.start) ring(place(fixed.start), ink);
    over.restore();
    names();
  }

  const tones = { ink: "", ground: "" };

  function names() {
    over.font = "600 12px system-ui, sans-serif";
    over.textBaseline = "middle";
    const taken = [];
    for (const { points, style, label, faint, diverged } of paths) {
      if (faint || !label) continue;
      const at = Math.min(shown, points.length - 1);
      let [x, y] = place(points[at]);
      const text =
        diverged !== null && diverged !== undefined && shown >= diverged
          ? `${plainLabel(label)}: diverged at step ${diverged}`
          : plainLabel(label);
      const width = over.measureText(text).width;
      x = Math.min(size.width - MARGIN.r - width - 4, Math.max(MARGIN.l + 4, x + 9));
      y = Math.min(size.height - MARGIN.b - 9, Math.max(MARGIN.t + 9, y - 9));
      while (taken.some(([left, top, right]) => Math.abs(top - y) < 14 && x < right && x + width > left)) y += 14;
      taken.push([x, y, x + width]);
      over.lineWidth = 3;
      over.strokeStyle = tones.ground;
      over.strokeText(text, x, y);
      over.fillStyle = style.colour;
      over.fillText(text, x, y);
    }
  }

  function ring([x, y], ink) {
    for (const radius of [6, 2]) {
      over.beginPath();
      over.arc(x, y, radius, 0, 7);
      over.lineWidth = 1.5;
      over.strokeStyle = ink;
      over.stroke();
    }
  }

  function cross([x, y], ink) {
    over.beginPath();
    over.moveTo(x - 6, y);
    over.lineTo(x + 6, y);
    over.moveTo(x, y - 6);
    over.lineTo(x, y + 6);
    over.lineWidth = 1.5;
    over.strokeStyle = ink;
    over.stroke();
  }

  function arrow({ from, to, style, bold }) {
    const [[x0, y0], [x1, y1]] = [place(from), place(to)];
    const length = Math.hypot(x1 - x0, y1 - y0);
    if (!(length > 1)) return;
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    const reach = Math.min(110, Math.max(14, length));
    const [x, y] = [x0 + ux * reach, y0 + uy * reach];
    over.strokeStyle = over.fillStyle = bold ? style.colour : tones.ink;
    over.lineWidth = bold ? 3 : 1.25;
    over.beginPath();
    over.moveTo(x0, y0);
    over.lineTo(x - ux * 6, y - uy * 6);
    over.stroke();
    over.beginPath();
    over.moveTo(x, y);
    over.lineTo(x - ux * 9 - uy * 4, y - uy * 9 + ux * 4);
    over.lineTo(x - ux * 9 + uy * 4, y - uy * 9 - ux * 4);
    over.fill();
  }

  return {
    resize,
    place,
    /** Take the colours of the page as they are now. */
    recolour() {
      tones.ink = colour("--ink");
      tones.ground = colour("--ground");
      again();
    },
    frame(next) {
      ends = next;
      again();
    },
    fixed(next) {
      fixed = { ...fixed, ...next };
      compose();
    },
    paths(next) {
      paths = next;
      again();
    },
    arrows(next) {
      arrows = next;
      compose();
    },
    show(step) {
      if (step < shown) {
        shown = step;
        return again();
      }
      walk(shown, step);
      shown = step;
      arrows = [];
      compose();
    },
    /** Convert a place of the element to a point of the plane. */
    at(x, y) {
      const width = size.width - MARGIN.l - MARGIN.r;
      const height = size.height - MARGIN.t - MARGIN.b;
      const share = (value) => Math.min(1, Math.max(0, value));
      return [
        ends[0] + share((x - MARGIN.l) / width) * (ends[1] - ends[0]),
        ends[2] + (1 - share((y - MARGIN.t) / height)) * (ends[3] - ends[2]),
      ];
    },
  };
}

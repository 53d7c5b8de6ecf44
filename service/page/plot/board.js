// Pictures of a function of the plane on a canvas: colours from one class to the other, the line between them, and points.
import { isDark } from "../appearance.js";

// From one class over undecided to the other, safe for colour blindness: blue and orange (Okabe and Ito) through the ground.
const COLOURS = {
  light: [[0, 114, 178], [244, 246, 247], [213, 94, 0]],
  dark: [[74, 168, 224], [26, 32, 38], [240, 127, 46]],
};
const INK = { light: "#1f2429", dark: "#e8ecef" };
const theme = () => (isDark() ? "dark" : "light");

/** Give the colour of a value between 0 and 1. */
function shade(value, colours) {
  const place = Math.min(1, Math.max(0, Number.isFinite(value) ? value : 0.5)) * 2;
  const [low, high] = place < 1 ? [colours[0], colours[1]] : [colours[1], colours[2]];
  return low.map((one, at) => one + (high[at] - one) * (place % 1 || (place === 2 ? 1 : 0)));
}

/** Paint values between 0 and 1, `side` × `side` of them, rows upwards, as a small picture. */
export function field(values, side) {
  const small = document.createElement("canvas");
  small.width = small.height = side;
  const context = small.getContext("2d");
  const picture = context.createImageData(side, side);
  const colours = COLOURS[theme()];
  values.forEach((value, at) => {
    const to = ((side - 1 - Math.floor(at / side)) * side + (at % side)) * 4;
    picture.data.set([...shade(value, colours), 255], to);
  });
  context.putImageData(picture, 0, 0);
  return small;
}

/**
 * Draw values on a canvas in the size of its element, the line where they are a half unless `isPlain`, and points, whose
 * labels are between 0 and 1 as well.
 */
export function board(canvas, { values, side, reach, points = [], isPlain = false }) {
  const size = canvas.clientWidth;
  const ratio = devicePixelRatio || 1;
  canvas.width = canvas.height = Math.round(size * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.imageSmoothingEnabled = true;
  context.drawImage(field(values, side), 0, 0, size, size);
  const place = ([x, y]) => [((x + reach) / (2 * reach)) * size, (1 - (y + reach) / (2 * reach)) * size];
  if (!isPlain) line(context, values, side, size);
  for (const { position, label, isTest } of points) {
    context.beginPath();
    context.arc(...place(position), 2.6, 0, 7);
    const colour = `rgb(${shade(label, COLOURS[theme()]).join(" ")})`;
    context.strokeStyle = isTest ? colour : INK[isDark() ? "light" : "dark"];
    context.lineWidth = isTest ? 1.5 : 1;
    if (!isTest) {
      context.fillStyle = colour;
      context.fill();
    }
    context.stroke();
  }
}

/** Draw the line where the values are a half: in each square of four values the pieces between its sides. */
function line(context, values, side, size) {
  const at = (row, column) => values[row * side + column] - 0.5;
  const place = (row, column) => [((column + 0.5) / side) * size, (1 - (row + 0.5) / side) * size];
  context.beginPath();
  for (let row = 0; row < side - 1; row += 1) {
    for (let column = 0; column < side - 1; column += 1) {
      const corners = [[row, column], [row, column + 1], [row + 1, column + 1], [row + 1, column]];
      const cuts = corners.flatMap((corner, one) => {
        const next = corners[(one + 1) % 4];
        const [here, there] = [at(corner[0], corner[1]), at(next[0], next[1])];
        if (here < 0 === there < 0) return [];
        const share = here / (here - there);
        return [place(corner[0] + share * (next[0] - corner[0]), corner[1] + share * (next[1] - corner[1]))];
      });
      for (let one = 0; one + 1 < cuts.length; one += 2) {
        context.moveTo(cuts[one][0], cuts[one][1]);
        context.lineTo(cuts[one + 1][0], cuts[one + 1][1]);
      }
    }
  }
  context.strokeStyle = INK[theme()];
  context.lineWidth = 1.5;
  context.stroke();
}

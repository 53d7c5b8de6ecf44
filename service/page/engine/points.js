// The points of the playground, the same as worker/engine/supervised/point_sets.py draws.
import { POINTS, normals, uniforms } from "./random.js";

const polar = (radius, angle) => [radius * Math.cos(angle), radius * Math.sin(angle)];
const TURN = 2 * Math.PI;

/** The position of a point from two numbers between 0 and 1 and its class. */
const DATASETS = {
  circles: (first, second, label) => polar(label ? 0.5 * first : 0.7 + 0.3 * first, TURN * second),
  xor: (first, second, label) => {
    const side = first < 0.5 ? -1 : 1;
    return [side * (0.05 + 0.95 * Math.abs(2 * first - 1)), side * (label ? 1 : -1) * (0.05 + 0.95 * second)];
  },
  gaussians: (first, second, label) => {
    const middle = label ? 0.5 : -0.5;
    return polar(0.15 * Math.sqrt(-2 * Math.log1p(-first)), TURN * second).map((one) => one + middle);
  },
  spiral: (first, second, label) => polar(first, 1.75 * TURN * first + Math.PI * (1 - label)),
  plane: (first, second) => square(first, second),
  hills: (first, second) => square(first, second),
};

const square = (first, second) => [2 * first - 1, 2 * second - 1];
const HILLS = [[-0.8, 0.5, 1], [0, 0.5, -1], [0.8, 0.5, 1], [-0.8, -0.5, -1], [0, -0.5, 1], [0.8, -0.5, -1]];

/** The number at a point, of the sets that are regressions. */
const REGRESSIONS = {
  plane: ([x, y]) => (x + y) / 2,
  hills: ([x, y]) => {
    const heights = HILLS.map(([right, up, sign]) => sign * Math.max(0, 1 - Math.hypot(x - right, y - up) / 0.4));
    return heights.reduce((most, height) => (Math.abs(height) > Math.abs(most) ? height : most), 0);
  },
};

/** Whether the points of a set have numbers instead of classes. */
export const isRegression = (dataset) => dataset in REGRESSIONS;

/**
 * Draw the points of a problem: [{position: [x, y], label}, …]; part 0 is for training, 1 for testing. Labels are the
 * classes 0 and 1, or numbers from −1 to 1.
 */
export function pointsOf({ dataset, size, test_size: tested = null, noise, data_seed: seed }, part) {
  return Array.from({ length: part ? (tested ?? size) : size }, (_, at) => {
    const label = at % 2;
    const away = normals(seed, POINTS, 2 * part + 1, at);
    const position = DATASETS[dataset](...uniforms(seed, POINTS, 2 * part, at), label);
    return {
      position: position.map((one, side) => one + noise * away[side]),
      label: isRegression(dataset) ? REGRESSIONS[dataset](position) : label,
    };
  });
}

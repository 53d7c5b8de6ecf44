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
};

/** Draw the points of a problem: [{position: [x, y], label}, …]; part 0 is for training, 1 for testing. */
export function pointsOf({ dataset, size, noise, data_seed: seed }, part) {
  return Array.from({ length: size }, (_, at) => {
    const label = at % 2;
    const away = normals(seed, POINTS, 2 * part + 1, at);
    const position = DATASETS[dataset](...uniforms(seed, POINTS, 2 * part, at), label);
    return { position: position.map((one, side) => one + noise * away[side]), label };
  });
}

// Arrows at the current step: the step of gradient descent (thin), and the actual step (bold).
import { post } from "../api.js";
import { number } from "../format.js";

/** Give the arrows of all racers of one run at a step; none in one dimension, and none where a path has ended. */
export async function arrowsAt(race, step, problem, signal) {
  const walking = race.filter(({ runs }) => {
    const next = runs.length === 1 && runs[0].position[step + 1];
    return next && next.length === 2 && next.every(Number.isFinite);
  });
  if (!walking.length) return [];
  const points = walking.map(({ runs }) => runs[0].position[step]);
  const query = { problem: { ...problem, noise: 0 }, points };
  const { gradients } = await post("/v1/landscape", query, { signal }).catch(() => ({ gradients: [] }));
  return walking.flatMap(({ runs, style, lr }, at) => {
    if (!gradients[at]) return [];
    const from = points[at];
    const downhill = from.map((value, side) => value - lr * number(gradients[at][side]));
    return [
      { from, to: downhill, style },
      { from, to: runs[0].position[step + 1], style, bold: true },
    ];
  });
}

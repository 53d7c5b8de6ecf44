// Requests about landscapes: the map of a loss, and the theory of settings.
import { post } from "./api.js";

const SAMPLES = 120;

/** Request the map of a problem over a frame [x0, x1, y0, y1], or [x0, x1] in one dimension. */
export function survey(problem, frame, signal, samples = SAMPLES) {
  const side = (from, to) => ({ from, to, num: samples });
  return post(
    "/v1/landscape",
    {
      problem,
      x: side(frame[0], frame[1]),
      ...(frame.length === 4 ? { y: side(frame[2], frame[3]) } : {}),
    },
    { signal },
  );
}

/** Request the theory of each setting, its limit of stability and the best of its kind; null where none is known. */
export function theoryOf(catalogue, problem, settings, signal) {
  return Promise.all(
    settings.map(async ({ kind, lr, momentum, beta1, nu, dampening, weight_decay }) => {
      if (!catalogue.optimizer(kind)?.has_theory) return null;
      const beta = momentum ?? beta1;
      const query = {
        problem: { ...problem, noise: 0 },
        optimizer: kind,
        lr,
        ...(beta === undefined ? {} : { momentum: beta }),
        nu,
        dampening,
        weight_decay,
      };
      return post("/v1/theory", query, { signal }).catch(() => null);
    }),
  );
}

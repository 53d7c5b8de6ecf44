// What is told of a race: what to notice, limits of stability on the sliders, the figures, and a stable rate for what diverged.
import { number } from "../format.js";
import { theoryOf } from "../landscape.js";
import { withStableRates } from "./rates.js";
import { readouts } from "./readouts.js";
import { problemOf } from "./state.js";

/** What to notice on the first race; the property of another surface stands beside its name. */
export function noticeOf({ surface, optimizers }) {
  const running = optimizers.filter(({ off }) => !off).map(({ kind }) => kind);
  return surface === "ravine" && running.join() === "sgd,momentum"
    ? "Notice: momentum overshoots and swings back; compare how far both are after each step."
    : "";
}

/** Show the figures of a race. Theory is requested after the paths are drawn, which must not wait for it. */
export async function tellFigures(race, job, spec, signal) {
  const theory = await limits(race, signal);
  const parts = { job, spec, race: race.racers, theory, steady: (labels) => steady(race, labels) };
  await readouts(race.figures, { ...parts, keep: () => race.job.keep() }, signal);
}

/** Mark the limits of stability on the sliders; gives the theory of the optimizers that race. */
async function limits({ catalogue, state, panel }, signal) {
  const theory = await theoryOf(catalogue, problemOf(state), state.optimizers, signal);
  signal.throwIfAborted();
  theory.forEach((one, at) => {
    const limit = one ? number(one.setting.lr_limit) : null;
    panel.optimizers.limit(at, limit, limit === null ? "" : `stable below ${limit.toPrecision(4)}`);
  });
  return theory.filter((_, at) => !state.optimizers[at].off);
}

/** Give the optimizers of some labels a rate at which they settle. */
function steady(race, labels) {
  const running = race.state.optimizers.filter(({ off }) => !off);
  const lost = running.filter((_, at) => labels.includes(race.racers[at]?.label));
  const { optimizers } = withStableRates(race.state, { preview: race.preview, only: (one) => lost.includes(one) });
  race.panel.optimizers.set(optimizers);
  race.change({ optimizers });
}

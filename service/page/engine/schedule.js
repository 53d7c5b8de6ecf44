// Schedules of a learning rate or a momentum: the factor at each update, as worker/engine/schedules.py computes it.

const halfCosine = (progress, start, end) => end + ((start - end) * (1 + Math.cos(Math.PI * progress))) / 2;
const polynomial = (step, { decay_steps: decay, power, final_fraction: last }) =>
  last + (1 - last) * (1 - Math.min(1, step / decay)) ** power;

// The factor at a step, counted from the end of the warm-up.
const FACTORS = {
  constant: () => 1,
  step: (step, { decay_steps: decay, factor }) => factor ** Math.floor(step / decay),
  exponential: (step, { decay_steps: decay, factor }) => factor ** (step / decay),
  polynomial,
  cosine: (step, { decay_steps: decay, final_fraction: last, restarts, growth }) =>
    halfCosine(restarts ? inPeriod(step, decay, growth) : Math.min(1, step / decay), 1, last),
  one_cycle: (step, { decay_steps: decay, final_fraction: last, linear }) =>
    linear
      ? polynomial(step, { decay_steps: decay, power: 1, final_fraction: last })
      : halfCosine(Math.min(1, step / decay), 1, last),
  warmup_stable_decay: (step, given) => polynomial(Math.max(0, step - given.stable_steps), given),
  piecewise: (step, { boundaries, factors }) => {
    const passed = boundaries.filter((boundary) => boundary <= step).length;
    return passed ? factors[passed - 1] : 1;
  },
};

/** Give the progress, 0 to 1, in a period that is `growth` times as long as the one before it. */
function inPeriod(step, first, growth) {
  let length = first;
  let begin = 0;
  while (begin + length <= step) {
    begin += length;
    length *= growth;
  }
  return (step - begin) / length;
}

/** Whether a schedule is one of these kinds; no schedule is a constant one. */
export const isKnown = (schedule) => !schedule || (schedule.kind ?? "constant") in FACTORS;

/**
 * Give the function from updates, counted from 0, to factors. `schedule` is written as in a spec, without its defaults or
 * with them; `steps` is the number of updates of the job. On a surface an epoch is one update.
 */
export function factorOf(schedule, steps) {
  if (!schedule) return () => 1;
  const { kind = "constant", ...given } = schedule;
  const of = FACTORS[kind];
  const { warmup, from, isCosine, ...parameters } = resolved(kind, given, steps);
  return (update) => {
    if (update >= warmup) return of(update - warmup, parameters);
    const progress = update / warmup;
    return isCosine ? halfCosine(progress, from, 1) : from + (1 - from) * progress;
  };
}

/** Fill in the defaults of service/spec/schedules.py, some of which depend on the length of the job. */
function resolved(kind, given, steps) {
  const value = (name, usual) => given[name] ?? usual;
  if (kind === "one_cycle") {
    const usual = Math.max(0, Math.min(0.3 * steps, steps - value("decay_steps", 0)) - 1);
    const warmup = value("warmup_steps", usual);
    return {
      warmup,
      from: value("initial_fraction", 0.04),
      isCosine: given.anneal_strategy !== "linear",
      linear: given.anneal_strategy === "linear",
      decay_steps: value("decay_steps", Math.max(1, steps - 1 - warmup)),
      final_fraction: value("final_fraction", 4e-6),
    };
  }
  const warmup = value("warmup_steps", 0);
  const left = Math.max(1, steps - warmup);
  const common = { warmup, from: value("initial_fraction", 1 / 3), isCosine: false };
  if (kind === "warmup_stable_decay") {
    const fixed = given.stable_steps ?? null;
    const usual = fixed === null ? Math.min(left, Math.ceil(steps / 10)) : Math.max(1, left - fixed);
    const decay = value("decay_steps", usual);
    return {
      ...common,
      power: value("power", 1),
      final_fraction: value("final_fraction", 0),
      decay_steps: decay,
      stable_steps: fixed ?? Math.max(0, left - decay),
    };
  }
  const decay = { step: given.decay_steps, exponential: value("decay_steps", 1) }[kind] ?? value("decay_steps", left);
  return {
    ...common,
    ...given,
    decay_steps: decay,
    factor: value("factor", 0.1),
    power: value("power", 1),
    final_fraction: value("final_fraction", 0),
    restarts: value("restarts", false),
    growth: value("growth", 1),
  };
}

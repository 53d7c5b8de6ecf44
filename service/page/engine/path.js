// One run on a surface: the losses and positions after each update, as the service records them.
import { prepared } from "./program.js";
import { NOISE, UPDATES, normals } from "./random.js";
import { factorOf } from "./schedule.js";

// A run has diverged when its loss is not finite, or above this many times max(1, |loss at the start|).
const DIVERGENCE_FACTOR = 1e9;
// torch.nn.utils.clip_grad_norm_ adds this to the norm that it divides by.
const CLIP_EPS = 1e-6;
const VARIABLES = ["x", "y"];

/**
 * Prepare a surface in some dimensions: gives the function (point, gradient) → loss, which writes the gradient.
 * `letters` are the numbers of the other inputs of its program.
 */
export function surfaceOf(program, dimension, letters = {}) {
  const machine = prepared(program);
  for (const [name, number] of Object.entries(letters)) for (const place of machine.input(name)) machine.values[place] = number;
  const names = VARIABLES.slice(0, dimension);
  const inputs = names.map((name) => machine.input(name)[0] ?? -1);
  const slopes = names.map((name) => machine.output(name)[0]);
  const [value] = machine.output("value");
  const { values } = machine;
  return (point, gradient) => {
    for (let side = 0; side < dimension; side += 1) if (inputs[side] >= 0) values[inputs[side]] = point[side];
    machine.run();
    for (let side = 0; side < dimension; side += 1) gradient[side] = values[slopes[side]];
    return values[value];
  };
}

/** Prepare an update rule: {program, state, parameters, momentum} of the catalogue, in some dimensions. */
export function ruleOf({ program, state, parameters, momentum }, dimension) {
  const numbers = ["t", "lr", ...Object.keys(parameters)];
  const machine = prepared(program, dimension, numbers);
  return {
    values: machine.values,
    run: machine.run,
    numbers: numbers.map((name) => [name, machine.input(name)[0]]).filter(([, place]) => place !== undefined),
    place: Object.fromEntries(["w", "g", "normal"].map((name) => [name, machine.input(name)])),
    newWeights: machine.output("w"),
    states: Object.entries(state).map(([name, start]) => ({
      start,
      from: machine.output(name),
      to: machine.input(name),
    })),
    momentum,
  };
}

/**
 * Compute a run: {epoch, loss, position}, from the start to the last step or to the first that diverged.
 *
 * `entry` is {lr, parameters, schedule, momentumSchedule, maximize, clipNorm, clipValue}; `noise` is the standard deviation of
 * each component of a gradient, for which `seed` counts.
 */
export function pathOf({ surface, rule, entry, start, steps, noise = 0, seed = 0 }) {
  const dimension = start.length;
  const { values, place, newWeights } = rule;
  const weights = Float64Array.from(start);
  const gradient = new Float64Array(dimension);
  const states = rule.states.map(({ start: from }) =>
    from === "w" ? Float64Array.from(start) : new Float64Array(dimension).fill(from),
  );
  const [rate, share] = [factorOf(entry.schedule, steps), factorOf(entry.momentumSchedule, steps)];
  const put = (places, from) => {
    for (let side = 0; side < places.length; side += 1) values[places[side]] = from[side];
  };
  const get = (places, to) => {
    for (let side = 0; side < dimension; side += 1) to[side] = values[places[side]];
  };
  let value = surface(weights, gradient);
  const history = { epoch: [0], loss: [value], position: [[...weights]] };
  const limit = DIVERGENCE_FACTOR * Math.max(1, Math.abs(value) || 0);
  const isLost = () => !(Number.isFinite(value) && value <= limit);
  for (let step = 1; step <= steps && !isLost(); step += 1) {
    if (noise) {
      const drawn = normals(seed, NOISE, step - 1);
      for (let side = 0; side < dimension; side += 1) gradient[side] += noise * drawn[side];
    }
    clip(gradient, entry);
    if (entry.maximize) for (let side = 0; side < dimension; side += 1) gradient[side] = -gradient[side];
    for (const [name, to] of rule.numbers) {
      const factor = name === rule.momentum ? share(step - 1) : 1;
      values[to] = name === "t" ? step : name === "lr" ? entry.lr * rate(step - 1) : entry.parameters[name] * factor;
    }
    put(place.w, weights);
    put(place.g, gradient);
    if (place.normal.length) put(place.normal, normals(seed, UPDATES, step - 1));
    rule.states.forEach(({ to }, at) => put(to, states[at]));
    rule.run();
    get(newWeights, weights);
    rule.states.forEach(({ from }, at) => get(from, states[at]));
    value = surface(weights, gradient);
    history.epoch.push(step);
    history.loss.push(value);
    history.position.push([...weights]);
  }
  return history;
}

/** Bound the components of a gradient, then its norm. */
function clip(gradient, { clipNorm, clipValue }) {
  if (clipValue) gradient.forEach((one, side) => (gradient[side] = Math.min(Math.max(one, -clipValue), clipValue)));
  if (!clipNorm) return;
  const share = Math.min(1, clipNorm / (Math.hypot(...gradient) + CLIP_EPS));
  gradient.forEach((one, side) => (gradient[side] = one * share));
}

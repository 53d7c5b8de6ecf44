// Colours of numbers; losses are on a logarithmic scale, so that good settings have different colours.
import { short } from "../format.js";
import { VALUES } from "./values.js";

// A scale over more decades shows no difference between good settings.
const DECADES = 8;

/** Give the z of a map and its colour scale: {z, colours}; what is not finite has no colour. */
export function coloured(values, value) {
  const { title } = VALUES[value];
  const finite = values
    .flat()
    .filter((one) => one !== null && Number.isFinite(one))
    .sort((one, other) => one - other);
  if (value === "diverged")
    return { z: values, colours: { from: 0, to: 1, title, ticks: { values: [0, 0.5, 1], texts: ["0", "½", "1"] } } };
  if (!finite.length) return { z: values.map((row) => row.map(() => null)), colours: { from: 0, to: 1, title } };
  const low = finite[0];
  // A few settings near divergence must not give all others one colour.
  const usual = finite[Math.floor((finite.length - 1) * 0.9)];
  const high = usual > 0 ? Math.min(finite.at(-1), 3 * usual) : finite.at(-1);
  const log = value === "final_loss" && high > 0 && low >= 0;
  if (!log)
    return {
      z: values.map((row) => row.map((one) => (Number.isFinite(one ?? NaN) ? one : null))),
      colours: { from: low, to: Math.max(high, low + 1e-9), title, ticks: even(low, high) },
    };
  const top = Math.log10(high);
  const from = Math.max(low > 0 ? Math.log10(low) : -Infinity, top - DECADES);
  const z = values.map((row) =>
    row.map((one) => (one === null || !Number.isFinite(one) ? null : one > 0 ? Math.log10(one) : from)),
  );
  return { z, colours: { from, to: Math.max(top, from + 1e-3), title, ticks: decades(from, top) } };
}

function even(low, high) {
  const values = [0, 0.25, 0.5, 0.75, 1].map((share) => low + (high - low) * share);
  return { values, texts: values.map((one) => short(one, 2)) };
}

/** Choose marks of a logarithmic scale: powers of ten, or 1, 2, 5 where there are few. */
function decades(from, to) {
  const step = Math.max(1, Math.ceil((to - from) / 6));
  const digits = to - from > 3 ? [1] : to - from > 1 ? [1, 3] : [1, 2, 3, 5, 7];
  const values = [];
  for (let power = Math.floor(from); power <= to; power += step) {
    for (const digit of digits) {
      const one = power + Math.log10(digit);
      if (one >= from && one <= to) values.push(one);
    }
  }
  if (values.length < 2) values.splice(0, Infinity, from, to);
  return { values, texts: values.map((one) => short(10 ** one, digits.length > 1 ? 2 : 1)) };
}

// Formatting of numbers and times, and parsing of numbers of the API.

/** Parse a number of the API, which writes numbers that are not finite as texts. */
export const number = (value) => (value === null || value === undefined ? null : Number(value));

/** Write a number with a few digits, as the sentences of the API do: 0.139, 12,300, 1.2×10⁻⁹, ∞. */
export function short(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  const one = Number(value);
  if (Number.isNaN(one)) return "NaN";
  if (!Number.isFinite(one)) return one > 0 ? "∞" : "−∞";
  if (one === 0) return "0";
  const size = Math.abs(one);
  const text = size >= 1e6 || size < 1e-4 ? power(one, digits) : Number(one.toPrecision(digits)).toLocaleString("en", ALL_DIGITS);
  return text.replace(/^-/, "−");
}

/** Write a number with a power of ten: 1.2×10⁻⁹, 10⁶. */
function power(one, digits) {
  const [factor, exponent] = one.toExponential(digits - 1).split("e");
  const raised = Array.from(String(Number(exponent)), (sign) => RAISED[sign]).join("");
  const number = Number(factor);
  return Math.abs(number) === 1 ? `${number < 0 ? "-" : ""}10${raised}` : `${number}×10${raised}`;
}
const ALL_DIGITS = { maximumFractionDigits: 20 };
const RAISED = { "-": "⁻", ...Object.fromEntries(Array.from("⁰¹²³⁴⁵⁶⁷⁸⁹", (sign, digit) => [digit, sign])) };

/** Write an estimate with its uncertainty: 0.139 (0.131 to 0.147). */
export function estimate(one, digits = 3) {
  if (!one) return "–";
  const value = short(one.value, digits);
  return one.low === null || one.high === null
    ? value
    : `${value} (${short(one.low, digits)} to ${short(one.high, digits)})`;
}

/** Count something: 1 run, 12 runs. */
export const count = (num, name) => `${num.toLocaleString("en")} ${name}${num === 1 ? "" : "s"}`;

/** Write a size: 512 bytes, 3.7 kB, 64 MB. */
export function bytes(num) {
  if (num < 1000) return count(num, "byte");
  const power = Math.min(3, Math.floor(Math.log10(num) / 3));
  return `${short(num / 1000 ** power)} ${["", "kB", "MB", "GB"][power]}`;
}

/** Format a duration. */
export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 90) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Format a time in the local time zone. */
export function moment(text) {
  if (!text) return "–";
  const then = new Date(text);
  const today = then.toDateString() === new Date().toDateString();
  return then.toLocaleString([], today ? { timeStyle: "medium" } : { dateStyle: "medium", timeStyle: "short" });
}

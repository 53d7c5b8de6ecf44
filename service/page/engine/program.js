// Execution of programs of the catalogue: operations on registers, without parsing and without generated code.

// The meanings are those of torch and of IEEE 754: `sign` of NaN is 0, `min` and `max` keep NaN.
const NAMES = [
  "negative", "+", "-", "*", "/", "pow", "slope*", "slope/", "<", "<=", "==", "!=", "where", "min", "max", "abs", "sign",
  "sqrt", "sin", "cos", "tan", "exp", "log", "log10", "tanh", "sigmoid",
];
const CODES = new Map(NAMES.map((name, code) => [name, code]));
// One number of all lanes. A point of the plane is one tensor, so both forms of a reduction are equal.
const REDUCTIONS = { norm: "norm", tensor_norm: "norm", mean: "mean", tensor_mean: "mean", dot: "dot" };
// FIRST begins a sum, SUM adds to it.
const [SUM, FIRST, MEAN, ROOT] = [NAMES.length, NAMES.length + 1, NAMES.length + 2, CODES.get("sqrt")];

/** Whether a program has only operations that are known here. */
export const isKnown = ({ operations }) =>
  operations.every(([name]) => name === "constant" || name === "input" || CODES.has(name) || name in REDUCTIONS);

/**
 * Prepare a program for points of some dimension: {values, input(name), output(name), run()}.
 *
 * `input` and `output` give the places in `values` of all lanes; an input that the program does not use has none. An input
 * in `alike` is one number for all lanes. Write the inputs, call `run()`, read the outputs. An operation that is not known
 * throws an Error.
 */
export function prepared({ operations, outputs }, lanes = 1, alike = []) {
  const code = [];
  const places = [];
  const inputs = new Map();
  const constants = [];
  let size = 0;
  const take = (num) => {
    const found = Array.from({ length: lanes }, (_, lane) => size + (num === 1 ? 0 : lane));
    size += num;
    return found;
  };
  operations.forEach(([name, ...operands], at) => {
    if (name === "constant") {
      places[at] = take(1);
      constants.push([places[at][0], Number(operands[0])]);
    } else if (name === "input") {
      places[at] = take(alike.includes(operands[0]) ? 1 : lanes);
      inputs.set(operands[0], places[at]);
    } else if (name in REDUCTIONS) {
      places[at] = take(1);
      reduce(code, REDUCTIONS[name], places[at][0], ...operands.map((operand) => places[operand]));
    } else if (CODES.has(name)) {
      const sources = operands.map((operand) => places[operand]);
      const num = sources.every((source) => source[0] === source.at(-1)) ? 1 : lanes;
      places[at] = take(num);
      for (let lane = 0; lane < num; lane += 1) {
        const [a, b = 0, c = 0] = sources.map((source) => source[lane]);
        code.push(CODES.get(name), places[at][lane], a, b, c);
      }
    } else throw new Error(`operation ${name} of a program is not known`);
  });
  const values = new Float64Array(size);
  for (const [place, number] of constants) values[place] = number;
  const compiled = Int32Array.from(code);
  return {
    values,
    input: (name) => inputs.get(name) ?? [],
    output: (name) => places[outputs[name]],
    run: () => execute(compiled, values),
  };
}

/** Append a reduction: a sum lane by lane, then what is made of it. */
function reduce(code, name, to, a, b = a) {
  a.forEach((one, lane) => code.push(lane ? SUM : FIRST, to, one, name === "mean" ? -1 : b[lane], lane));
  if (name === "norm") code.push(ROOT, to, to, 0, 0);
  if (name === "mean") code.push(MEAN, to, to, a.length, 0);
}

/** Raise to a power as IEEE 754 has it: 1 to any power is 1, and so is −1 to an infinite one. */
const power = (a, b) => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);

function execute(code, values) {
  for (let at = 0; at < code.length; at += 5) {
    const a = values[code[at + 2]];
    const to = code[at + 1];
    const second = code[at + 3];
    switch (code[at]) {
      case 0: values[to] = -a; break;
      case 1: values[to] = a + values[second]; break;
      case 2: values[to] = a - values[second]; break;
      case 3: values[to] = a * values[second]; break;
      case 4: values[to] = a / values[second]; break;
      case 5: values[to] = power(a, values[second]); break;
      case 6: values[to] = a === 0 ? a : a * values[second]; break;
      case 7: values[to] = a === 0 ? a : a / values[second]; break;
      case 8: values[to] = a < values[second] ? 1 : 0; break;
      case 9: values[to] = a <= values[second] ? 1 : 0; break;
      case 10: values[to] = a === values[second] ? 1 : 0; break;
      case 11: values[to] = a !== values[second] ? 1 : 0; break;
      case 12: values[to] = a !== 0 ? values[second] : values[code[at + 4]]; break;
      case 13: values[to] = Math.min(a, values[second]); break;
      case 14: values[to] = Math.max(a, values[second]); break;
      case 15: values[to] = Math.abs(a); break;
      case 16: values[to] = a > 0 ? 1 : a < 0 ? -1 : 0; break;
      case 17: values[to] = Math.sqrt(a); break;
      case 18: values[to] = Math.sin(a); break;
      case 19: values[to] = Math.cos(a); break;
      case 20: values[to] = Math.tan(a); break;
      case 21: values[to] = Math.exp(a); break;
      case 22: values[to] = Math.log(a); break;
      case 23: values[to] = Math.log10(a); break;
      case 24: values[to] = Math.tanh(a); break;
      case 25: values[to] = 1 / (1 + Math.exp(-a)); break;
      case SUM: values[to] += second < 0 ? a : a * values[second]; break;
      case FIRST: values[to] = second < 0 ? a : a * values[second]; break;
      case MEAN: values[to] = a / second; break;
    }
  }
}

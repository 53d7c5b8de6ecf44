// Unit tests of the pure parts of the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readNumbers } from "../../../service/page/controls/numbers.js";
import { pathOf, ruleOf, surfaceOf } from "../../../service/page/engine/path.js";
import { isKnown, prepared } from "../../../service/page/engine/program.js";
import { computable, raced } from "../../../service/page/engine/race.js";
import { philox } from "../../../service/page/engine/random.js";
import { turns } from "../../../service/page/race/balls.js";
import { smoothed } from "../../../service/page/histories.js";
import { undo } from "../../../service/page/race/undo.js";
import { insistent } from "../../../service/page/watchdog.js";
import { factorOf } from "../../../service/page/engine/schedule.js";

const BOWL = {
  operations: [["input", "x"], ["constant", 2], ["*", 1, 0], ["*", 0, 0]],
  outputs: { value: 3, x: 2 },
};
const DESCENT = {
  program: { operations: [["input", "w"], ["input", "lr"], ["input", "g"], ["*", 1, 2], ["-", 0, 3]], outputs: { w: 4 } },
  as_formula: { parameters: {}, state: {} },
  parameters: { properties: { nesterov: { default: false } } },
};

test("a program runs on several lanes, and reductions join them", () => {
  const machine = prepared({ operations: [["input", "a"], ["norm", 0], ["/", 0, 1]], outputs: { unit: 2 } }, 2);
  machine.input("a").forEach((place, lane) => (machine.values[place] = [3, 4][lane]));
  machine.run();
  assert.deepEqual(machine.output("unit").map((place) => machine.values[place]), [0.6, 0.8]);
  assert.deepEqual(machine.input("b"), []);
});

test("every operation is as torch computes it, also at the ends of the numbers", () => {
  const of = (name, ...numbers) => {
    const constants = numbers.map((number) => ["constant", number]);
    const machine = prepared({
      operations: [...constants, [name, ...numbers.keys()]],
      outputs: { value: numbers.length },
    });
    machine.run();
    return machine.values[machine.output("value")[0]];
  };
  assert.equal(of("sign", NaN), 0);
  assert.equal(of("min", NaN, 1), NaN);
  assert.equal(of("pow", 1, NaN), 1);
  assert.equal(of("pow", NaN, 0), 1);
  assert.equal(of("slope*", 0, Infinity), 0);
  assert.equal(of("slope/", 0, 0), 0);
  assert.equal(of("sigmoid", -1000), 0);
  assert.equal(of("where", of("<=", 2, 2), 5, 6), 5);
  assert.equal(of("mean", 7), 7);
  const expected = { sin: 2, cos: 2, tan: 2, exp: 2, log: 2, log10: 2, tanh: 2, sqrt: 2, abs: -2 };
  for (const [name, number] of Object.entries(expected)) assert.equal(of(name, number), Math[name](number), name);
});

test("an operation that is not known is refused before a race", () => {
  const strange = { operations: [["gamma", 0]], outputs: { value: 0 } };
  assert.equal(isKnown(strange), false);
  assert.throws(() => prepared(strange), /gamma/);
  const spec = { problem: { start: [1] }, optimizers: [{ kind: "sgd", lr: 1, label: "sgd" }], epochs: 1 };
  assert.equal(raced({ program: strange, spec, itemOf: () => DESCENT }), null);
});

test("descent on a parabola is worked out by hand", () => {
  const surface = surfaceOf(BOWL, 1);
  const rule = ruleOf({ ...DESCENT, state: {}, parameters: {} }, 1);
  const { epoch, loss, position } = pathOf({ surface, rule, entry: { lr: 0.25, parameters: {} }, start: [4], steps: 2 });
  assert.deepEqual(epoch, [0, 1, 2]);
  assert.deepEqual(position, [[4], [2], [1]]);
  assert.deepEqual(loss, [16, 4, 1]);
});

test("a run ends at the first loss that is a thousand million times the one at the start", () => {
  const surface = surfaceOf(BOWL, 1);
  const rule = ruleOf({ ...DESCENT, state: {}, parameters: {} }, 1);
  // Each step multiplies the distance by −9, thus the loss by 81: 81⁵ > 10⁹ > 81⁴.
  const { epoch } = pathOf({ surface, rule, entry: { lr: 5, parameters: {} }, start: [1], steps: 100 });
  assert.equal(epoch.at(-1), 5);
});

test("a setting that the rule does not have is computed only at its default", () => {
  assert.ok(computable({ kind: "sgd", lr: 1, nesterov: false }, DESCENT));
  assert.equal(computable({ kind: "sgd", lr: 1, nesterov: true }, DESCENT), null);
  assert.equal(computable({ kind: "sgd", lr: { from: 0, to: 1 } }, DESCENT), null);
  assert.equal(computable({ kind: "muon", lr: 1 }, { as_formula: null, program: null }), null);
});

test("philox gives the words of its reference implementation", () => {
  // Random123, known answers of philox4x32 with 10 rounds.
  assert.deepEqual(philox([0, 0, 0, 0], [0, 0]), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  const all = 0xffffffff;
  assert.deepEqual(philox([all, all, all, all], [all, all]), [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
});

test("a warm-up rises to the schedule, which begins at its end", () => {
  const factor = factorOf({ kind: "polynomial", warmup_steps: 2, initial_fraction: 0.5 }, 6);
  assert.deepEqual([0, 1, 2, 3, 4, 6].map(factor), [0.5, 0.75, 1, 0.75, 0.5, 0]);
  assert.equal(factorOf(undefined, 6)(3), 1);
});

test("numbers are read as people write them", () => {
  for (const text of ["3, 4", "(3, 4)", "[3; 4]", " 3 4 ", "( 3,4 )"]) assert.deepEqual(readNumbers(text), [3, 4], text);
  assert.deepEqual(readNumbers("−1.5e−3"), [-0.0015]);
  assert.deepEqual(readNumbers(""), []);
  for (const text of ["three", "3, x", "(3", "NaN", "Infinity"]) assert.equal(readNumbers(text), null, text);
});

test("a state that was undone can be done again, until there is another change", () => {
  const past = undo();
  past.push("a");
  past.push("b");
  assert.equal(past.back("c"), "b");
  assert.equal(past.back("b"), "a");
  assert.equal(past.back("a"), null);
  assert.equal(past.on("a"), "b");
  past.push("b");
  assert.equal(past.on("d"), null);
  assert.equal(past.back("d"), "b");
});

test("a request that never answers is aborted and repeated", async () => {
  const calls = [];
  const attempt = (signal) =>
    new Promise((done, fail) => {
      calls.push(signal);
      if (calls.length === 2) return done("answer");
      signal.addEventListener("abort", () => fail(signal.reason));
    });
  assert.equal(await insistent(attempt, new AbortController().signal, 5), "answer");
  assert.equal(calls.length, 2);
  const view = new AbortController();
  const never = insistent(() => new Promise((_, fail) => view.signal.addEventListener("abort", () => fail(view.signal.reason))), view.signal);
  view.abort();
  await assert.rejects(never, { name: "AbortError" });
});

test("a ball that rolls half its girth stands on its head, and after all of it as before", () => {
  const half = Math.PI * 0.026;
  const [start, head, around] = turns([[0, 0], [half, 0], [half, 2 * half]], [0, 0, 0], [1, 1, 1]);
  const rounded = (matrix) => matrix.map((row) => row.map((one) => Math.round(one) + 0));
  assert.deepEqual(rounded(start), [[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
  assert.deepEqual(rounded(head), [[-1, 0, 0], [0, 1, 0], [0, 0, -1]]);
  assert.deepEqual(rounded(around), rounded(head));
  // A quarter of a turn along x: what was on top is in front.
  const [, quarter] = turns([[0, 0], [half / 2, 0]], [0, 0], [1, 1, 1]);
  assert.deepEqual(rounded(quarter).map((row) => row[2]), [1, 0, 0]);
});

test("a smoothed line begins at its first value, follows the others, and keeps what is not finite", () => {
  assert.deepEqual(smoothed([3, null, 3, NaN], 0.9).slice(0, 2), [3, null]);
  assert.deepEqual(smoothed([0, 3], 0.5), [0, 2]);
});

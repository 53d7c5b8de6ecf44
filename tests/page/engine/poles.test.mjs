// Poles of a map: the values beside them are left out, and nothing else is.
import assert from "node:assert/strict";
import test from "node:test";
import { mapOf, withoutPoles } from "../../../service/page/plot/poles.js";

const frame = [-3, 3];
const holes = (surface) => withoutPoles(mapOf(surface, frame), surface).loss.filter((one) => one === null).length;

test("a pole with a change of sign is a hole", () => assert.equal(holes(([x]) => 1 / x), 1));
test("each pole of the tangent is a hole", () => assert.equal(holes(([x]) => Math.tan(x)), 2));
test("a step is none", () => assert.equal(holes(([x]) => (x > 0.1 ? 1 - x : -1 - x)), 0));
test("a fast wave is none", () => assert.equal(holes(([x]) => Math.sin(37 * x)), 0));
test("in two dimensions a line of poles is a line of holes", () => {
  const surface = ([x, y]) => 1 / (x - y / 2);
  const { loss, hasPoles } = withoutPoles(mapOf(surface, [-3, 3, -3, 3]), surface);
  assert.ok(hasPoles);
  assert.ok(loss.every((row) => row.includes(null)));
});

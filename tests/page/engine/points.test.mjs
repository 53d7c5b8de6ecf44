// The points of the playground against those of the worker, and a network of one hidden layer by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { unitsOf } from "../../../service/page/engine/network.js";
import { pointsOf } from "../../../service/page/engine/points.js";

for (const { problem, part, points } of JSON.parse(readFileSync(process.env.POINTS, "utf8")))
  test(`${problem.dataset}, part ${part}`, () => {
    pointsOf(problem, part).forEach(({ position, label }, at) => {
      assert.equal(label, at % 2);
      position.forEach((one, side) => assert.ok(Math.abs(one - points[at][side]) < 1e-12));
    });
  });

test("weights are read layer after layer, one row for each unit, then the biases", () => {
  const network = { widths: [2, 2, 1], activation: "relu" };
  const weights = [1, 2, 3, 4, 0.5, -20, 1, -1, 0.25];
  const [hidden, [output]] = unitsOf(network, weights, [[1, 2]]);
  assert.deepEqual(hidden, [[5.5], [0]]);
  assert.equal(output[0], 1 / (1 + Math.exp(-5.75)));
});

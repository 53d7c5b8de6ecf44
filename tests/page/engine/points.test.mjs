// The points of the playground against those of the worker, and a network of one hidden layer by hand.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { unitsOf } from "../../../service/page/engine/network.js";
import { pointsOf } from "../../../service/page/engine/points.js";

for (const { problem, part, points, labels } of JSON.parse(readFileSync(process.env.POINTS, "utf8")))
  test(`${problem.dataset}, part ${part}`, () => {
    const drawn = pointsOf(problem, part);
    assert.equal(drawn.length, points.length);
    drawn.forEach(({ position, label }, at) => {
      assert.ok(Math.abs(label - labels[at]) < 1e-12);
      position.forEach((one, side) => assert.ok(Math.abs(one - points[at][side]) < 1e-12));
    });
  });

test("weights are read layer after layer, one row for each unit, then the biases", () => {
  const network = { features: ["x", "y"], widths: [2, 2, 1], activation: "relu", output: "sigmoid" };
  const weights = [1, 2, 3, 4, 0.5, -20, 1, -1, 0.25];
  const [hidden, [output]] = unitsOf(network, weights, [[1, 2]]);
  assert.deepEqual(hidden, [[5.5], [0]]);
  assert.equal(output[0], 1 / (1 + Math.exp(-5.75)));
});

test("inputs are computed from a point, and a regression gives the sum itself", () => {
  const network = { features: ["x2", "y2", "xy", "sin_x", "sin_y"], widths: [5, 1], activation: "relu", output: "linear" };
  const [[output]] = unitsOf(network, [1, 10, 100, 1000, 10000, 7], [[2, 3]]);
  assert.equal(output[0], 7 + 4 + 90 + 600 + 1000 * Math.sin(10) + 10000 * Math.sin(15));
});

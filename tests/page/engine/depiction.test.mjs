// Unit tests of the texts of figures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { curvesWords, decisionWords, mapWords } from "../../../service/page/depiction.js";

const AXES = { x: { title: "lr", values: [0.01, 0.1, 1] }, y: { title: "momentum", values: [0, 0.9] } };
const ofLosses = (values) =>
  mapWords("Heat map of final loss", { ...AXES, values, isLost: (one) => one === Infinity, lost: "diverged" });

test("a heat map tells its range and where it diverged", () => {
  const text = ofLosses([[0.5, 0.25, Infinity], [0.125, Infinity, Infinity]]);
  const whole = "Heat map of final loss over lr 0.01 to 1 and momentum 0 to 0.9, from 0.125 to 0.5.";
  assert.equal(text, `${whole} 3 of 6 cells (50 %): diverged, at lr 0.1 to 1 and momentum 0 to 0.9.`);
});

test("a heat map in progress tells how many cells have no number, and no range where all diverged", () => {
  const text = ofLosses([[null, null, Infinity], [null, null, null]]);
  const whole = "Heat map of final loss over lr 0.01 to 1 and momentum 0 to 0.9.";
  assert.equal(text, `${whole} 5 of 6 cells have no number yet. 1 of 1 cells (100 %): diverged, at lr 1 and momentum 0.`);
});

test("the text of a map of forty thousand cells is told", () => {
  const places = Array.from({ length: 200 }, (_, at) => at);
  const values = places.map((row) => places.map((column) => row * 200 + column));
  const text = mapWords("Map", {
    x: { title: "x", values: places }, y: { title: "y", values: places }, values, isLost: () => false, lost: "",
  });
  assert.equal(text, "Map over x 0 to 199 and y 0 to 199, from 0 to 40,000.");
});

test("decisions tell the share of a class and its side, rows upwards", () => {
  const right = [0, 0, 1, 0, 0, 1, 0, 0, 1];
  assert.equal(decisionWords(right, 3, { isNumber: false }), "Class 1 in 33 % of the square, mostly at the right.");
  const bottom = [1, 1, 0, 0, 0, 0, 0, 0, 0];
  assert.equal(decisionWords(bottom, 3, { isNumber: false }), "Class 1 in 22 % of the square, mostly at the bottom left.");
  const middle = [0, 0, 0, 0, 1, 0, 0, 0, 0];
  assert.equal(decisionWords(middle, 3, { isNumber: false }), "Class 1 in 11 % of the square, around the middle.");
  assert.equal(decisionWords(Array(9).fill(0), 3, { isNumber: false }), "Class 1 in 0 % of the square.");
  const sloped = [-1, 0, 0.5, -1, 0, 0.5, -1, 0, 0.5];
  assert.equal(decisionWords(sloped, 3, { isNumber: true }), "Numbers from −1 to 0.5, positive mostly at the right.");
});

test("curves tell where each ends", () => {
  const series = [{ label: "mine", x: [0, 5], y: [2, 1], low: [1, 0.5], high: [3, 1.5] }];
  assert.equal(curvesWords("loss", series, "step"), "loss over step: mine ends at 1 (0.5 to 1.5) at step 5.");
});

// Compare the engine of the page with histories of the service, which the file named by HISTORIES contains.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { raced } from "../../../service/page/engine/race.js";

const TOLERANCE = 1e-9;
const { optimizers, problems, cases } = JSON.parse(readFileSync(process.env.HISTORIES, "utf8"));
const surfaces = problems.find(({ kind }) => kind === "surface").surfaces;
const itemOf = ({ kind }) => optimizers.find((item) => item.kind === kind);

/** Give the first place at which two columns differ by more than the tolerance, or null. */
function difference(column, expected, agrees, isLoss) {
  let largest = 0;
  for (let at = 0; at < agrees; at += 1) {
    const [one, other] = [column[at], expected[at]];
    if (other === null || !Number.isFinite(one)) {
      if ((other === null) === Number.isFinite(one)) return { at, one, other };
      continue;
    }
    // A coordinate may be zero: it counts against the largest so far.
    largest = isLoss ? Math.abs(other) : Math.max(largest, Math.abs(other));
    if (Math.abs(one - other) > TOLERANCE * largest) return { at, one, other };
  }
  return null;
}

for (const { spec, agrees, columns } of cases) {
  const [{ label }] = spec.optimizers;
  const { name, start } = spec.problem;
  test(`${label} on ${name}, seed ${spec.seeds.first}`, () => {
    const { program } = surfaces.find((surface) => surface.name === name);
    const found = raced({ program, spec, itemOf });
    assert.ok(found, "the engine has no program for this entry");
    const [[{ loss, position }]] = found;
    const own = [loss, ...start.map((_, side) => position.map((point) => point[side]))];
    own.forEach((column, at) => assert.equal(difference(column, columns[at], agrees, at === 0), null, `column ${at}`));
    // The same end status: both reach the last step, or both diverge; at the same step where they agree so far.
    const isWhole = (rows) => rows.length === spec.epochs + 1 && Number.isFinite(rows.at(-1) ?? NaN);
    assert.equal(isWhole(loss), isWhole(columns[0]), "end status");
    if (agrees === columns[0].length) assert.equal(loss.length, columns[0].length);
  });
}

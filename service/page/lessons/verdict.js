// The verdict of a statement in words with a sign: holds, holds if, inconclusive, fails, or not run.
import { h } from "../dom.js";
import { moment } from "../format.js";

const LOOKS = {
  holds: ["✓", "good", "holds"],
  "holds-if": ["◐", "part", "holds if"],
  inconclusive: ["?", "undecided", "inconclusive"],
  fails: ["✕", "warn", "fails"],
  running: ["▶", "live", "running"],
  "not-run": ["○", "", "not run"],
};
export const VERDICTS = Object.entries(LOOKS).map(([name, [, , words]]) => [name, words]);

/** Name a kind of verdict in words. */
export const wordsOf = (kind) => LOOKS[kind][2];

/** Give the kind of the verdict of a lesson; a stopped lesson has none. */
export function kindOf({ state, verdict }) {
  if (state === "running" || state === "completed") return "running";
  if (verdict === null) return "not-run";
  if (verdict.startsWith("holds if")) return "holds-if";
  return ["holds", "inconclusive"].find((kind) => verdict.startsWith(kind)) ?? "fails";
}

/** Show the kind of a verdict. */
export function sign(lesson) {
  const kind = kindOf(lesson);
  const [mark, look, words] = LOOKS[kind];
  const text = kind === "not-run" && lesson.state === "stopped" ? "stopped" : words;
  return h("span", { class: `chip ${look}` }, h("span", { "aria-hidden": "true" }, mark), text);
}

/** Give the rest of a verdict after its kind: "if staying there is meant". While a lesson runs, give the last verdict. */
export function reason({ state, verdict }) {
  if (verdict !== null && kindOf({ state, verdict }) === "running") return `last verdict: ${verdict}`;
  return verdict?.replace(/^(holds(?= if)|holds$|(fails|inconclusive):?) ?/, "") ?? "";
}

/** Show whether a reading holds: true, false, or null if it is undecided. */
export function readingSign(reading, holds) {
  const [look, mark, word] =
    holds === null ? ["undecided", "?", "undecided"] : holds ? ["yes", "✓", "yes"] : ["no", "✕", "no"];
  return h(
    "li",
    { class: look },
    h("span", { "aria-hidden": "true" }, mark),
    h("span", { class: "sr-only" }, `${word}: `),
    reading,
  );
}

/** Say where a result comes from that no job of this server has; null for others. */
export const origin = ({ stored }) =>
  stored &&
  h(
    "p",
    { class: "caption" },
    `This result came with Ravine. It was computed with Ravine ${stored.version} and torch ${stored.torch}, ${moment(stored.computed_at)}: run the lesson to compute it here.`,
  );

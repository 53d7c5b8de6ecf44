// What became of a statement: holds, holds if, fails, or not run; in words, with a sign.
import { h } from "../dom.js";

const LOOKS = {
  holds: ["✓", "good", "holds"],
  "holds-if": ["◐", "part", "holds if"],
  fails: ["✕", "warn", "fails"],
  running: ["▶", "live", "running"],
  "not-run": ["○", "", "not run"],
};
export const VERDICTS = Object.entries(LOOKS).map(([name, [, , words]]) => [name, words]);

/** Tell which kind of verdict a lesson has; one that was stopped before it was judged has none. */
export function kindOf({ state, verdict }) {
  if (state === "running" || state === "completed") return "running";
  if (verdict === null) return "not-run";
  return verdict.startsWith("holds if") ? "holds-if" : verdict.startsWith("holds") ? "holds" : "fails";
}

/** Show the kind of a verdict. */
export function sign(lesson) {
  const kind = kindOf(lesson);
  const [mark, look, words] = LOOKS[kind];
  const text = kind === "not-run" && lesson.state === "stopped" ? "stopped" : words;
  return h("span", { class: `chip ${look}` }, h("span", { "aria-hidden": "true" }, mark), text);
}

/** Say what a verdict adds to its kind: "if staying there is meant". */
export function reason({ verdict }) {
  return verdict?.replace(/^(holds(?= if)|holds$|fails:?) ?/, "") ?? "";
}

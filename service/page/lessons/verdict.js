// The verdict of a statement in words with a sign: holds, holds if, fails, or not run.
import { h } from "../dom.js";

const LOOKS = {
  holds: ["✓", "good", "holds"],
  "holds-if": ["◐", "part", "holds if"],
  fails: ["✕", "warn", "fails"],
  running: ["▶", "live", "running"],
  "not-run": ["○", "", "not run"],
};
export const VERDICTS = Object.entries(LOOKS).map(([name, [, , words]]) => [name, words]);

/** Give the kind of the verdict of a lesson; a stopped lesson has none. */
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

/** Give the rest of a verdict after its kind: "if staying there is meant". */
export function reason({ verdict }) {
  return verdict?.replace(/^(holds(?= if)|holds$|fails:?) ?/, "") ?? "";
}

// The size of a question before it is asked: runs and time, by a dry run.
import { post } from "../api.js";
import { h } from "../dom.js";
import { count, duration } from "../format.js";

const PAUSE_MS = 300;

/** Make the line: {element, show(spec)}; a spec that cannot be accepted has no size. */
export function sizeLine(signal) {
  const element = h("span", { class: "caption", role: "status" });
  let due = null;
  let asked = null;

  async function ask(spec) {
    asked?.abort();
    const mine = (asked = new AbortController());
    try {
      const found = await post("/v1/jobs?dry_run=true", spec, { signal: AbortSignal.any([signal, mine.signal]) });
      element.textContent = `${count(found.runs_total, "run")}, about ${duration(found.estimated_seconds)}`;
    } catch (error) {
      // What is wrong is said where the question is asked.
      if (error.name !== "AbortError") element.textContent = "";
    }
  }

  signal.addEventListener("abort", () => clearTimeout(due));
  return {
    element,
    show(spec) {
      clearTimeout(due);
      due = setTimeout(() => ask(spec), PAUSE_MS);
    },
  };
}

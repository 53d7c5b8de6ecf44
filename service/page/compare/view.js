// The view Compare: a problem and optimizers by name, one button, and the answer with its intervals.
import { answerPart } from "../answer/answer.js";
import { getCatalogue } from "../catalogue.js";
import { problemForm } from "../controls/problem.js";
import { h } from "../dom.js";
import { questionForm } from "../question/form.js";
import { readState, specOf, writeState } from "../question/state.js";
import { empty } from "../states.js";

const FIRST = { kind: "flipnet" };

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  if (signal.aborted) return;
  let state = readState(catalogue, FIRST);

  const hint = empty(
    "Which optimizer wins, and how sure is that?",
    h(
      "p",
      { class: "lead" },
      "Choose a problem and optimizers. Each of them gets the same number of trials to find its settings, is judged on ",
      "seeds that chose nothing, and the answer says what can be told apart.",
    ),
  );
  const answer = answerPart({ root, catalogue, signal, hint: state.job ? null : hint, spec: () => specOf(state) });
  const problem = problemForm({
    value: state.problem,
    problems: catalogue.problems,
    change: (next) => change({ problem: next }),
  });
  const form = questionForm({ problem: problem.element, state, catalogue, change, compare });
  root.append(
    h("h1", { class: "sr-only" }, "Compare"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, answer.elements),
      h("aside", { class: "right", "aria-label": "Settings" }, form),
    ),
  );

  /** Take a change of the question: what is shown answers another one, and is dimmed. */
  function change(part) {
    state = { ...state, ...part, job: null };
    answer.stale();
    writeState(state);
  }

  /** Post the question as a job. */
  function compare() {
    return answer.ask(({ id }) => {
      state.job = id;
      writeState(state, { step: true });
    });
  }

  if (state.job) await answer.open(state.job, () => change({}));
}

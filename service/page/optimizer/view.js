// The view Your optimizer: an update rule as a text, checked while it is typed, raced and compared with SGD and Adam.
import { answerPart } from "../answer/answer.js";
import { ApiError, ROOT, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { problemForm } from "../controls/problem.js";
import { h, newId } from "../dom.js";
import { countUp } from "../marks.js";
import { calm, complain, empty, failure, loading } from "../states.js";
import { editor } from "./editor.js";
import { ruleFields } from "./fields.js";
import { raceOf, readState, ruleOf, specOf, writeState } from "./state.js";

const PAUSE_MS = 250;

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await loading(root, getCatalogue());
  if (signal.aborted) return;
  let state = readState(catalogue);
  let due = null;
  let asked = null;

  const hint = empty(
    "Write a rule, race it at once",
    h(
      "p",
      { class: "lead" },
      "w are the parameters, g is the gradient, lr the learning rate, t the number of the update. Race it on a surface, ",
      "or compare it: SGD, Adam and a rule without a learning rate are searched, all with as many trials.",
    ),
  );
  const answer = answerPart({ root, catalogue, signal, hint: state.job ? null : hint, spec: () => specOf(state) });
  const trouble = h("div", {});
  const race = h("a", { class: "button" }, "Race against SGD and Adam");
  const text = editor({ lines: state.rule.update, change: (update) => change({ ...state.rule, update }), declare });
  const fields = ruleFields({ rule: state.rule, change });
  const problem = problemForm({
    value: state.problem,
    problems: catalogue.problems,
    change: (next) => put({ problem: next }),
  });

  function put(part) {
    state = { ...state, ...part, job: null };
    answer.stale();
    writeState(state);
    race.href = ROOT + raceOf(state, catalogue);
  }

  /** Take a change of the rule, and check it after a pause. */
  function change(rule) {
    put({ rule });
    clearTimeout(due);
    due = setTimeout(check, PAUSE_MS);
  }

  /** Make an unknown name of the text a state or a parameter. */
  function declare(name, as) {
    change({ ...state.rule, [as]: { ...state.rule[as], [name]: as === "state" ? 0 : 0.9 } });
    fields.set(state.rule);
  }

  /** Begin with a built-in kind. */
  function begin(kind) {
    if (!kind) return;
    const rule = ruleOf(catalogue.optimizer(kind));
    text.set(rule.update);
    fields.set(rule);
    change(rule);
  }

  /** Ask the API for the program of the rule, or for its errors. */
  async function check() {
    asked?.abort();
    const mine = (asked = new AbortController());
    try {
      const either = AbortSignal.any([signal, mine.signal]);
      const { update } = await post("/v1/optimizers/formula", state.rule, { signal: either });
      calm(fields.element);
      trouble.replaceChildren();
      text.show([], update);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof ApiError)) throw error;
      tell(error);
    }
    countUp(root, "checked");
  }

  function tell(error) {
    const isOfText = ({ loc }) => loc[1] === "update";
    text.show(
      error.errors.filter(isOfText).map(({ loc, msg }) => ({ line: loc[2], message: msg })),
      [],
    );
    const rest = complain(fields.element, { errors: error.errors.filter((one) => !isOfText(one)) });
    trouble.replaceChildren(
      rest.length || !error.errors.length ? failure({ title: error.title, message: error.message, errors: rest }) : "",
    );
  }

  function compare(event) {
    event.preventDefault();
    return answer.ask(({ id }) => {
      state.job = id;
      writeState(state, { step: true });
    });
  }

  root.append(
    h("h1", { class: "sr-only" }, "Your optimizer"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, text.element, trouble, answer.elements),
      h(
        "aside",
        { class: "right", "aria-label": "Settings" },
        h(
          "form",
          { class: "controls", "aria-label": "Rule", novalidate: true, onsubmit: compare },
          startFrom(catalogue, begin),
          fields.element,
          problem.element,
          h("div", { class: "row act" }, h("button", { class: "main", type: "submit" }, "Compare"), race),
        ),
      ),
    ),
  );
  race.href = ROOT + raceOf(state, catalogue);
  signal.addEventListener("abort", () => clearTimeout(due));
  await Promise.all([check(), state.job && answer.open(state.job, () => put({}))]);
}

/** Make the choice of a built-in kind to begin with, of those that a rule can express. */
function startFrom(catalogue, begin) {
  const id = newId("start");
  const known = catalogue.choices.filter((one) => one.as_formula);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, "Start from"),
    h(
      "select",
      { id, onchange: ({ target }) => begin(target.value) },
      h("option", { value: "" }, "what is written here"),
      known.map(({ kind, title, short_name: name }) => h("option", { value: kind, title }, name)),
    ),
  );
}

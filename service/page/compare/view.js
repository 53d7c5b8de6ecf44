// The view Compare: a problem and optimizers by name, one button, and the answer with its intervals.
import { onAppearance } from "../appearance.js";
import { ApiError, ROOT, asCurl, get, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { progressLine } from "../controls/progress.js";
import { copy, h } from "../dom.js";
import { follow } from "../events.js";
import { countUp, mark } from "../marks.js";
import { lineStyles } from "../palette.js";
import { standings } from "../standings.js";
import { calm, complain, empty, failure } from "../states.js";
import { verdictLines } from "../verdict.js";
import { decisionPart } from "./decision.js";
import { settings } from "./settings.js";
import { readState, specOf, writeState } from "./state.js";

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  if (signal.aborted) return;
  let state = readState(catalogue);
  let job = null;
  let found = null;
  let asked = null;

  const problems = h("div", { class: "problems" });
  const answer = h("section", { class: "answer", "aria-label": "Answer", "aria-live": "polite" });
  const details = h("section", { "aria-label": "Figures" });
  const decision = decisionPart();
  const progress = progressLine({ cancel: () => post(`/v1/jobs/${job.id}/cancel`, undefined, { signal }).catch(tell) });
  root.append(
    h("h1", { class: "sr-only" }, "Compare"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, problems, answer, progress.element, decision.element, details),
      h("aside", { class: "right", "aria-label": "Settings" }, settings({ state, catalogue, change, compare })),
    ),
  );

  /** Take a change of the question: what is shown answers another one, and is dimmed. */
  function change(part) {
    state = { ...state, ...part, job: null };
    calm(root);
    writeState(state);
    if (job) answer.setAttribute("aria-busy", "true");
    if (job) details.setAttribute("aria-busy", "true");
  }

  /** Post the question as a job and follow it. */
  async function compare() {
    calm(root);
    problems.replaceChildren();
    asked?.abort();
    try {
      const posted = await post("/v1/jobs", specOf(state), { signal });
      state.job = posted.id;
      writeState(state, { step: true });
      await watch(posted);
    } catch (error) {
      tell(error);
    }
  }

  /** Follow a job to its end, and show its decision while it grows, and its answer. */
  async function watch(posted) {
    const mine = (asked = new AbortController());
    const either = AbortSignal.any([signal, mine.signal]);
    job = posted;
    found = null;
    for (const part of [answer, details]) {
      part.replaceChildren();
      part.removeAttribute("aria-busy");
    }
    decision.begin(aboutOf(job));
    if (job.decision) decision.show(job.decision);
    mark(root, "job", job.id);
    mark(root, "status", job.status);
    progress.begin();
    job = await follow(job.id, {
      runs: ["0"],
      signal: either,
      progress: progress.show,
      decision: decision.show,
      status: (status) => mark(root, "status", status),
    });
    progress.end();
    mark(root, "status", job.status);
    if (job.decision) decision.show(job.decision);
    if (job.error)
      problems.replaceChildren(failure({ title: "The job failed", message: job.error.detail ?? job.error.reason }));
    if (job.status === "cancelled")
      problems.replaceChildren(h("p", { class: "caption" }, "Cancelled: what was trained until then is compared."));
    if (job.progress.epochs_done) {
      found = await get(`/v1/jobs/${job.id}/comparison`, { signal: either });
      draw();
    }
    countUp(root, "compared");
  }

  /** Go on with an undecided job, with twice as many seeds at most. */
  async function goOn() {
    try {
      await watch(await post(`/v1/jobs/${job.id}/continue`, { max_seeds: 2 * job.decision.max_seeds }, { signal }));
    } catch (error) {
      tell(error);
    }
  }

  function draw() {
    if (!found) return;
    const isUndecided = job.decision?.status === "undecided" && job.status === "completed";
    answer.replaceChildren(...verdictLines(found));
    details.replaceChildren(
      standings(found, stylesOf(job.spec)),
      h(
        "div",
        { class: "row" },
        isUndecided && h("button", { type: "button", onclick: goOn }, "Go on with more seeds"),
        h("a", { href: `${ROOT}/jobs/${job.id}` }, "All of this job"),
        h("a", { href: `${ROOT}/v1/jobs/${job.id}/report?format=html`, target: "_blank" }, "Report"),
        h(
          "button",
          { type: "button", class: "quiet", onclick: () => copy(asCurl("POST", "/v1/jobs", specOf(state)), "Command") },
          "Copy as curl",
        ),
      ),
    );
  }

  function aboutOf({ spec, decision: known }) {
    if (!known) return null;
    const { criteria, default_criterion: usual, surfaces } = catalogue.problem(spec.problem.kind);
    const criterion = criteria.find(({ name }) => name === (spec.criterion ?? usual));
    const surface = surfaces?.find(({ name }) => name === spec.problem.name);
    const { margin, margin_kind: kind, against } = spec.decide;
    return {
      isRatio: (criterion?.scale ?? surface?.scale) === "log" && kind === "relative",
      margin,
      styles: stylesOf(spec),
      against: against === "best" ? "the best of the others" : spec.optimizers[0].label,
    };
  }

  function tell(error) {
    if (error.name === "AbortError" || signal.aborted) return;
    if (!(error instanceof ApiError)) console.error(error);
    progress.end();
    const rest = complain(root, error);
    problems.replaceChildren(
      rest.length || !error.errors?.length ? failure({ title: error.title, message: error.message, errors: rest }) : "",
    );
  }

  onAppearance(draw, signal);
  if (!state.job) {
    answer.replaceChildren(
      empty(
        "Which optimizer wins, and how sure is that?",
        h(
          "p",
          { class: "lead" },
          "Choose a problem and optimizers. Each of them gets the same number of trials to find its settings, is judged on ",
          "seeds that chose nothing, and the answer says what can be told apart.",
        ),
      ),
    );
    return;
  }
  try {
    await watch(await get(`/v1/jobs/${state.job}`, { signal }));
  } catch (error) {
    if (error.status === 404) change({});
    tell(error);
  }
}

/** Give the styles of the labels of a spec. */
function stylesOf({ optimizers }) {
  const styles = lineStyles(optimizers.map(({ kind }) => kind));
  return new Map(optimizers.map(({ label, kind }, at) => [label ?? kind, styles[at]]));
}

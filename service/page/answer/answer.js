// The answer to a question: its job followed to the end, with the decision that grows, the verdict and the standings.
import { onAppearance } from "../appearance.js";
import { ApiError, ROOT, asCurl, get, post } from "../api.js";
import { progressLine } from "../controls/progress.js";
import { copy, h } from "../dom.js";
import { follow } from "../events.js";
import { nameOf } from "../labels.js";
import { countUp, mark } from "../marks.js";
import { lineStyles } from "../palette.js";
import { standings } from "../standings.js";
import { calm, complain, failure } from "../states.js";
import { verdictLines } from "../verdict.js";
import { decisionPart } from "./decision.js";

/**
 * Make the part: {elements, ask(posted), open(id, gone), stale()}.
 *
 * `root` is the view, which gets the marks, and whose controls get the errors of the API. `hint` is shown while there is
 * no answer; `spec()` gives the question as it is copied; `extra(job)` gives what follows the standings of an ended job.
 *
 * @param {{root: HTMLElement, catalogue: any, signal: AbortSignal, hint: Node | null, spec: () => object,
 *   extra?: (job: any) => any[]}} parts
 */
export function answerPart({ root, catalogue, signal, hint, spec, extra = () => [] }) {
  let job = null;
  let found = null;
  let asked = null;

  const problems = h("div", { class: "problems" });
  const answer = h("section", { class: "answer", "aria-label": "Answer", "aria-live": "polite" }, hint);
  const details = h("section", { "aria-label": "Figures" });
  const decision = decisionPart();
  const progress = progressLine({ cancel: () => post(`/v1/jobs/${job.id}/cancel`, undefined, { signal }).catch(tell) });

  /** Dim what answers another question than that of the controls. */
  function stale() {
    calm(root);
    if (!job) return;
    for (const part of [answer, details, decision.element]) part.setAttribute("aria-busy", "true");
  }

  /** Post the question as a job and follow it; `posted(job)` is called once it is accepted. */
  async function ask(posted) {
    calm(root);
    problems.replaceChildren();
    asked?.abort();
    try {
      const accepted = await post("/v1/jobs", spec(), { signal });
      posted(accepted);
      await watch(accepted);
    } catch (error) {
      tell(error);
    }
  }

  /** Show a job that was asked before; `gone()` is called where it was deleted. */
  async function open(id, gone) {
    try {
      await watch(await get(`/v1/jobs/${id}`, { signal }));
    } catch (error) {
      if (error.status === 404) gone();
      tell(error);
    }
  }

  async function watch(posted) {
    const mine = (asked = new AbortController());
    const either = AbortSignal.any([signal, mine.signal]);
    job = posted;
    found = null;
    for (const part of [answer, details]) part.replaceChildren();
    for (const part of [answer, details, decision.element]) part.removeAttribute("aria-busy");
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
    const curl = () => copy(asCurl("POST", "/v1/jobs", spec()), "Command");
    answer.replaceChildren(...verdictLines(found));
    details.replaceChildren(
      standings(found, stylesOf(job.spec)),
      h(
        "div",
        { class: "row" },
        isUndecided && h("button", { type: "button", onclick: goOn }, "Go on with more seeds"),
        h("a", { href: `${ROOT}/jobs/${job.id}` }, "All of this job"),
        h("a", { href: `${ROOT}/v1/jobs/${job.id}/report?format=html`, target: "_blank" }, "Report"),
        h("button", { type: "button", class: "quiet", onclick: curl }, "Copy as curl"),
      ),
      ...extra(job),
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
      against: against === "best" ? "the best of the others" : nameOf(spec.optimizers[0]),
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
  return { elements: [problems, answer, progress.element, decision.element, details], ask, open, stale };
}

/** Give the styles of the labels of a spec. */
function stylesOf({ optimizers }) {
  const styles = lineStyles(optimizers.map(({ kind }) => kind));
  return new Map(optimizers.map(({ label, kind }, at) => [label ?? kind, styles[at]]));
}

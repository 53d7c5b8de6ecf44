// The view Train: networks trained as jobs, with live curves and decision maps, and a verdict at the end.
import { onAppearance } from "../appearance.js";
import { ApiError, ROOT, get, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { progressLine } from "../controls/progress.js";
import { tidied } from "../controls/tidy.js";
import { h } from "../dom.js";
import { follow } from "../events.js";
import { hasGrid } from "../grids.js";
import { Histories } from "../histories.js";
import { countUp, mark } from "../marks.js";
import { lineStyles } from "../palette.js";
import { restarts } from "../restarts.js";
import { calm, complain, empty, failure, gone, viewState } from "../states.js";
import { decisions } from "../decisions.js";
import { fieldsOf, figures } from "./figures.js";
import { offer } from "./offer.js";
import { settings } from "./settings.js";
import { readState, specOf, stateOf, writeState } from "./state.js";
import { showVerdict } from "./verdict.js";

// Time between two drawings while rows arrive.
const PAUSE_MS = 300;

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  if (signal.aborted) return;
  let state = readState(catalogue);
  const series = restarts(signal);
  const standing = viewState(root, clear);
  let job = null;
  let optimizers = [];
  const histories = new Histories();

  const problems = h("div", { class: "problems" });
  const place = h("div", { class: "place" });
  const table = h("section", { class: "answer panel", "aria-label": "Figures", hidden: true });
  const verdict = h("section", { class: "answer", "aria-label": "Result", "aria-live": "polite" });
  const progress = progressLine({ cancel });
  const chart = figures({
    catalogue,
    signal,
    scale: (part) => {
      state = { ...state, ...part };
      writeState(state);
      chart.draw(histories, job.spec, state);
    },
  });
  const maps = decisions({ signal, at: (epoch) => chart.rule(epoch) });
  const panel = settings({ state, catalogue, change, train });
  root.append(
    h("h1", { class: "sr-only" }, "Train"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, problems, place, verdict, progress.element, maps.element, chart.element, table),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
  );

  function cancel() {
    // A cancelled run has no weights: they are not read again.
    mark(root, "status", "cancelling");
    return post(`/v1/jobs/${job.id}/cancel`, undefined, { signal }).catch(tell);
  }

  /** Take a change of the settings: the address no longer names the job, whose curves stay until the next one. */
  function change(part) {
    // The address of a job stays among those that "Back" leads to.
    const step = state.job !== null;
    state = { ...state, ...part, job: null };
    calm(root);
    writeState(state, { step });
    if (job) root.dataset.stale = "yes";
  }

  async function open(next) {
    state = { ...state, ...next, job: null };
    panel.set(state);
    await train();
  }

  /** Post the settings as a job and follow it. */
  async function train() {
    const spec = specOf(state);
    calm(root);
    problems.replaceChildren();
    if (!spec) return tell({ title: "Nothing to train", message: "Switch on one optimizer at least." });
    series.stop();
    standing.computing();
    try {
      const posted = await post("/v1/jobs", spec, { signal });
      state.job = posted.id;
      writeState(state, { step: true });
      await watch(posted);
    } catch (error) {
      tell(error);
    }
  }

  /** Remove what belongs to another job or to other settings. */
  function clear() {
    histories.clear();
    place.replaceChildren();
    problems.replaceChildren();
    verdict.replaceChildren();
    table.hidden = true;
    maps.hide();
    chart.hide();
    delete root.dataset.stale;
  }

  /** Follow a job to its end, and draw what comes. */
  async function watch(found) {
    const mine = series.next();
    standing.computing();
    job = found;
    optimizers = found.spec.optimizers;
    const hasMaps = catalogue.problem(found.spec.problem.kind).has_decision;
    clear();
    mark(root, "job", found.id);
    mark(root, "status", found.status);
    progress.begin();
    const skeleton = h("div", { class: "skeleton large", "aria-hidden": "true" });
    place.append(skeleton);
    let timer = null;
    const draw = () => {
      clearTimeout(timer);
      timer = null;
      if (mine.aborted || !histories.runs.size) return;
      skeleton.remove();
      chart.draw(histories, job.spec, state);
      if (hasMaps && root.dataset.status === "running") maps.follow(histories, optimizers, job.spec.problem).catch(tell);
    };
    const ended = await follow(found.id, {
      fields: fieldsOf(catalogue.problem(found.spec.problem.kind), found.spec.problem),
      signal: mine,
      metrics: (runs) => {
        histories.add(runs);
        timer ??= setTimeout(draw, PAUSE_MS);
      },
      progress: (news) => progress.show(news),
      status: (status) => mark(root, "status", status),
      restart: () => histories.clear(),
    });
    draw();
    job = ended;
    progress.end();
    skeleton.remove();
    mark(root, "status", ended.status);
    if (ended.error)
      problems.replaceChildren(failure({ title: "The job failed", message: ended.error.detail ?? ended.error.reason }));
    if (ended.status === "cancelled")
      problems.replaceChildren(h("p", { class: "caption" }, "Cancelled: what was trained until then is shown."));
    const styles = lineStyles(optimizers.map(({ kind }) => kind));
    if (histories.runs.size)
      await showVerdict(
        verdict,
        table,
        ended,
        new Map(optimizers.map(({ label }, at) => [label, styles[at]])),
        mine,
      );
    if (hasMaps && ended.status === "completed")
      await maps.draw(histories, optimizers, ended.spec);
    standing.current();
    countUp(root, "trained");
  }

  function tell(error) {
    if (error.name === "AbortError" || signal.aborted) return;
    if (!(error instanceof ApiError)) console.error(error);
    progress.end();
    series.stop();
    standing.failed();
    const rest = complain(root, error);
    problems.replaceChildren(
      rest.length || !error.errors?.length ? failure({ title: error.title, message: error.message, errors: rest }) : "",
    );
  }

  /** Take up the job that the address names; where it is gone, what it was can be run again. */
  async function resume() {
    try {
      const found = await get(`/v1/jobs/${state.job}`, { signal });
      if (state.isBare) {
        const read = stateOf(tidied(found.spec, catalogue), catalogue);
        if (read) state = { ...state, ...read, job: found.id };
        panel.set(state);
      }
      if (!fits(found)) return place.replaceChildren(elsewhere(found));
      await watch(found);
    } catch (error) {
      if (error.status !== 404) return tell(error);
      const id = state.job;
      state.job = null;
      place.replaceChildren(gone(id, { ...state, verb: "Train again", again: train, what: "curves" }));
    }
  }

  /** A job of one of these problems without grids: each label is a curve. */
  const fits = ({ spec }) =>
    catalogue.isNetwork(spec.problem) && spec.optimizers.every((one) => one.kind !== "formula" && !hasGrid(one));
  const elsewhere = ({ id, name }) =>
    empty(
      "More than this view can draw",
      h(
        "p",
        {},
        `${name} has more settings than curves can show. `,
        h("a", { href: `${ROOT}/jobs/${id}` }, "See it among the jobs"),
      ),
    );

  onAppearance(() => {
    panel.recolour();
    maps.repaint();
  }, signal);
  if (state.job) await resume();
  else place.replaceChildren(await offer({ catalogue, open, fail: tell, signal }));
}

// The view Sweep: a map over two hyper-parameters, or over starts, trained as one job.
import { ApiError, ROOT, get, post } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { progressLine } from "../controls/progress.js";
import { tidied } from "../controls/tidy.js";
import { h } from "../dom.js";
import { follow } from "../events.js";
import { countUp, mark } from "../marks.js";
import { restarts } from "../restarts.js";
import { calm, complain, empty, failure, gone, viewState } from "../states.js";
import { offer } from "./offer.js";
import { sweepResult } from "./result.js";
import { settings } from "./settings.js";
import { readState, specOf, stateOf, writeState } from "./state.js";

// Between two readings of the map while cells come in.
const PAUSE_MS = 700;

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await getCatalogue();
  if (signal.aborted) return;
  let state = readState(catalogue);
  const series = restarts(signal);
  const standing = viewState(root, clear);
  let job = null;

  const problems = h("div", { class: "problems" });
  const place = h("div", { class: "place" });
  const progress = progressLine({ cancel: () => post(`/v1/jobs/${job.id}/cancel`, undefined, { signal }).catch(tell) });
  const result = sweepResult({
    catalogue,
    signal,
    fail: tell,
    put: (part) => {
      state = { ...state, ...part };
      // Changed settings belong to a sweep that has no result yet.
      if (state.job) writeState(state);
    },
  });
  const panel = settings({ state, catalogue, change, run, signal });
  root.append(
    h("h1", { class: "sr-only" }, "Sweep"),
    h(
      "div",
      { class: "split" },
      h("div", { class: "left" }, problems, place, progress.element, result.element),
      h("aside", { class: "right", "aria-label": "Settings" }, panel.element),
    ),
  );

  /** Take a change of the settings: the address no longer names the job, whose map stays until the next one. */
  function change(part) {
    // The address of a job stays among those that "Back" leads to.
    const step = state.job !== null;
    state = { ...state, ...part, job: null, cell: null };
    writeState(state, { step });
    if (job) root.dataset.stale = "yes";
  }

  async function open(next) {
    state = { ...state, ...next, job: null, cell: null };
    panel.set(state);
    await run();
  }

  async function run() {
    calm(root);
    problems.replaceChildren();
    series.stop();
    standing.computing();
    try {
      const posted = await post("/v1/jobs", specOf(state, catalogue), { signal });
      state = { ...state, job: posted.id, cell: null };
      writeState(state, { step: true });
      await watch(posted);
    } catch (error) {
      tell(error);
    }
  }

  /** Remove what belongs to another job or to other settings. */
  function clear() {
    result.element.hidden = true;
    place.replaceChildren();
    problems.replaceChildren();
    delete root.dataset.stale;
  }

  /** Follow a job to its end; the map is read again while cells come in. */
  async function watch(found) {
    const mine = series.next();
    standing.computing();
    clear();
    job = found;
    mark(root, "status", found.status);
    progress.begin();
    place.replaceChildren(h("div", { class: "skeleton large", "aria-hidden": "true" }));
    const shown = { ...state };
    let timer = null;
    let drawing = Promise.resolve();
    const draw = async () => {
      await result.draw(job, { ...shown, value: state.value, target: state.target, cell: state.cell }, mine);
      if (mine.aborted) return;
      place.replaceChildren();
    };
    // The rows of one run are enough for progress events; the numbers of the map come from another request.
    const ended = await follow(found.id, {
      fields: ["loss"],
      runs: [0],
      maxPoints: 2,
      signal: mine,
      status: (status) => mark(root, "status", status),
      progress: (news) => {
        progress.show(news);
        if (!news.epochs_done || shown.over === "starts") return;
        timer ??= setTimeout(() => {
          drawing = draw()
            .catch(tell)
            .finally(() => {
              timer = null;
            });
        }, PAUSE_MS);
      },
    });
    clearTimeout(timer);
    await drawing;
    job = ended;
    progress.end();
    if (ended.error)
      problems.replaceChildren(failure({ title: "The job failed", message: ended.error.detail ?? ended.error.reason }));
    if (ended.status === "cancelled")
      problems.replaceChildren(h("p", { class: "caption" }, "Cancelled: what was trained until then is shown."));
    await draw();
    mark(root, "status", ended.status);
    standing.current();
    countUp(root, "swept");
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
      const read = stateOf(tidied(found.spec, catalogue), catalogue);
      if (!read) {
        const link = h("a", { href: `${ROOT}/jobs/${found.id}` }, "See it among the jobs");
        return place.replaceChildren(
          empty("This job has no grid", h("p", {}, `${found.name} sweeps neither two settings nor starts. `, link)),
        );
      }
      if (state.isBare) {
        state = { ...state, ...read, job: found.id, cell: state.cell, value: state.value, target: state.target };
        panel.set(state);
      }
      await watch(found);
    } catch (error) {
      if (error.status !== 404) return tell(error);
      const id = state.job;
      state.job = null;
      place.replaceChildren(gone(id, { ...state, verb: "Run the sweep again", again: run, what: "map" }));
    }
  }

  if (state.job) await resume();
  else place.replaceChildren(await offer({ catalogue, open, fail: tell, signal }));
}

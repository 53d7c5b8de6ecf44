// The view Your data: a file becomes a dataset, a dataset with a target and a model becomes a question.
import { answerPart } from "../answer/answer.js";
import { get, getAll } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { h } from "../dom.js";
import { countUp, mark } from "../marks.js";
import { sizeLine } from "../question/estimate.js";
import { questionForm } from "../question/form.js";
import { readState, specOf, writeState } from "../question/state.js";
import { empty, failure, loading } from "../states.js";
import { datasetPart } from "./columns.js";
import { dropPlace } from "./drop.js";
import { dataForm, firstProblem } from "./problem.js";
import { shelf } from "./shelf.js";

const NUM_ROWS = 10;

/** Show the view; ends when the signal aborts. */
export async function show(root, { signal }) {
  const catalogue = await loading(root, getCatalogue());
  if (signal.aborted) return;
  let state = readState(catalogue, null, ({ kind, dataset }) => kind === "data" && dataset);
  let datasets = [];

  const hint = empty(
    "Which optimizer trains your data best?",
    h(
      "p",
      { class: "lead" },
      "Drop a table, images with labels or a text, or choose a built-in dataset. Then choose the column to predict, a ",
      "model and optimizers. The file stays on this server, and only your key sees it.",
    ),
  );
  const answer = answerPart({ root, catalogue, signal, hint: state.job ? null : hint, spec: () => specOf(state) });
  const place = dropPlace({ root, signal, uploaded });
  const shelves = h("section", { class: "shelf", "aria-label": "Datasets" });
  const about = h("section", { class: "dataset", "aria-label": "Dataset" });
  const aside = h("aside", { class: "right", "aria-label": "Settings" });
  const size = sizeLine(signal);
  root.append(
    h("h1", { class: "sr-only" }, "Your data"),
    h("div", { class: "split" }, h("div", { class: "left" }, place, shelves, answer.elements, about), aside),
  );

  function change(part) {
    state = { ...state, ...part, job: null };
    answer.stale();
    writeState(state);
    if (state.problem) size.show(specOf(state));
  }

  function compare() {
    return answer.ask(({ id }) => {
      state.job = id;
      writeState(state, { step: true });
    });
  }

  async function list() {
    datasets = await getAll("/v1/datasets", { signal });
    drawShelf();
  }

  const drawShelf = () =>
    shelves.replaceChildren(
      ...shelf({ datasets, chosen: state.problem?.dataset, choose: (one) => begin(one.id), deleted }),
    );

  async function uploaded(dataset) {
    await list();
    await begin(dataset.id);
  }

  /** Forget a dataset that was deleted. */
  async function deleted({ id }) {
    if (state.problem?.dataset === id) leave();
    await list();
  }

  function leave() {
    change({ problem: null });
    about.replaceChildren();
    aside.replaceChildren();
    drawShelf();
  }

  /** Choose a dataset: another question, with its usual target and model. */
  async function begin(id) {
    try {
      const dataset = await get(`/v1/datasets/${id}`, { signal });
      change({ problem: firstProblem(dataset) });
      await describe(dataset);
    } catch (error) {
      fail(error);
    }
  }

  /** Show the dataset of the state and its form. */
  async function describe(dataset) {
    drawShelf();
    mark(root, "dataset", dataset.id);
    const problem = dataForm({
      dataset,
      entry: catalogue.problem("data"),
      value: state.problem,
      change: (next) => change({ problem: next }),
    });
    aside.replaceChildren(questionForm({ problem, state, catalogue, change, compare, below: size.element }));
    size.show(specOf(state));
    const rows = await get(`/v1/datasets/${dataset.id}/rows?limit=${NUM_ROWS}`, { signal });
    about.replaceChildren(...datasetPart(dataset, rows));
    countUp(root, "described");
  }

  async function open() {
    if (!state.problem) return;
    try {
      await describe(await get(`/v1/datasets/${state.problem.dataset}`, { signal }));
    } catch (error) {
      // The job of a deleted dataset still has its answer.
      if (error.status === 404 && !state.job) leave();
      fail(error);
    }
  }

  const fail = (error) => error.name === "AbortError" || about.replaceChildren(failure(error));

  await Promise.all([list(), open(), state.job && answer.open(state.job, () => change({}))]);
}

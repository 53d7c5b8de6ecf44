// The page of a job: spec, progress, results and actions.
import { onAppearance } from "../appearance.js";
import { ROOT, get } from "../api.js";
import { getCatalogue } from "../catalogue.js";
import { progressBar } from "../controls/progress.js";
import { h } from "../dom.js";
import { follow } from "../events.js";
import { duration, moment, short } from "../format.js";
import { nameOf } from "../labels.js";
import { mark } from "../marks.js";
import { failure, loading } from "../states.js";
import { chips, isOpen, took } from "../status.js";
import { actions } from "./actions.js";
import { annotations } from "./annotations.js";
import { charts } from "./charts.js";
import { comparison } from "./comparison.js";
import { downloads } from "./downloads.js";
import { gallery } from "./gallery.js";
import { maps } from "./maps.js";
import { parallel } from "./parallel.js";
import { runsTable } from "./runs.js";
import { optimizerWords, problemWords, seedWords, trainingWords } from "./words.js";

const REASONS = { worker_lost: "The worker was lost", training_error: "Training failed", timeout: "The time was up" };
const RUNS_MS = 3_000;

/** Show a job; ends when the signal aborts. */
export async function showJob(root, id, signal) {
  let job;
  try {
    job = await loading(root, get(`/v1/jobs/${id}`, { signal }));
  } catch (error) {
    if (error.status !== 404) throw error;
    return root.append(failure(error), h("p", { class: "gone" }, h("a", { href: `${ROOT}/jobs` }, "All jobs")));
  }
  const catalogue = await loading(root, getCatalogue());
  document.title = `${job.name} · Ravine`;
  const status = h("div", { class: "row", role: "status" });
  const acts = h("div", { class: "row acts" });
  const state = h("div", { class: "course" });
  const times = h("dl", { class: "facts" });
  const files = h("div", {});
  const bar = progressBar(job.name);
  const picture = charts(job, catalogue, () => watch(), signal);
  const judged = comparison(id, job.spec, picture.styles, signal);
  const figures = gallery(job, catalogue, signal);
  const settings = parallel(job, signal);
  const decided = maps(catalogue, signal);
  const runs = runsTable(id, job.spec, picture.styles, signal);
  let watching = null;
  let lastRuns = 0;

  root.append(
    h("header", { class: "head" }, h("div", {}, h("h1", {}, job.name), status), acts),
    state,
    judged.verdict,
    h(
      "div",
      { class: "desk" },
      h("div", {}, picture.element, decided.element, judged.details, figures.element, settings.element, runs.element),
      h(
        "aside",
        { "aria-label": "About this job" },
        h("h2", {}, "Settings"),
        facts(job.spec, catalogue),
        h(
          "details",
          {},
          h("summary", {}, "As JSON"),
          h("pre", { class: "json", tabindex: 0 }, JSON.stringify(job.spec, null, 2)),
        ),
        annotations(job),
        h("h2", {}, "Details"),
        times,
        files,
      ),
    ),
  );

  function show(next) {
    const changed = next.status !== job.status || next.finished_at !== job.finished_at || !acts.childElementCount;
    job = next;
    mark(root, "status", job.status);
    status.replaceChildren(...chips(job).filter(Boolean));
    if (isOpen(job.status)) bar.show(job);
    state.replaceChildren(...course());
    if (!changed) return;
    times.replaceChildren(...receipt(job));
    files.replaceChildren(...(job.status === "queued" ? [] : [h("h2", {}, "Download"), downloads(job, catalogue)]));
    const focused = acts.contains(document.activeElement);
    acts.replaceChildren(
      ...actions(job, catalogue, show, (error) => state.replaceChildren(failure(error))),
    );
    if (focused) acts.firstElementChild.focus();
  }

  function course() {
    if (isOpen(job.status)) return [bar.element];
    const { epochs_done: done, epochs_total: total } = job.progress;
    const part = done
      ? `${done.toLocaleString("en")} of ${total.toLocaleString("en")} epochs were trained, and stay recorded.`
      : "Nothing was recorded.";
    if (job.error) {
      const message = `${(job.error.detail ?? "").replace(/[^.]$/, "$&.")} ${part}`;
      return [failure({ title: REASONS[job.error.reason] ?? job.error.reason, message })];
    }
    if (job.status === "cancelled")
      return [h("p", { class: "lead" }, `Cancelled: ${done ? part : "nothing was recorded."}`)];
    return [];
  }

  /** Follow a job that runs, or read one that has ended; restarts when other rows are selected. */
  async function watch() {
    watching?.abort();
    const mine = (watching = new AbortController());
    const either = AbortSignal.any([signal, mine.signal]);
    try {
      if (!isOpen(job.status)) return await picture.load(either);
      picture.begin();
      // Of many settings only the best are drawn, which are known at the end.
      const rows = picture.many ? { runs: ["0"] } : { metrics: picture.add, restart: picture.clear };
      const ended = await follow(id, {
        fields: [picture.field()],
        maxPoints: picture.points(),
        signal: either,
        ...rows,
        status: async () => {
          const now = await get(`/v1/jobs/${id}`, { signal: either }).catch(() => job);
          if (isOpen(job.status)) show(now);
        },
        progress: (progress) => {
          show({ ...job, progress });
          if (performance.now() - lastRuns < RUNS_MS) return;
          lastRuns = performance.now();
          runs.load();
        },
      });
      show(ended);
      await finish(either);
    } catch (error) {
      if (error.name !== "AbortError") state.replaceChildren(failure(error));
    }
  }

  /** Show what only an ended job has. */
  async function finish(either) {
    await picture.load(either);
    const hasRows = job.progress.epochs_done > 0;
    const ofRows = hasRows ? [judged.load(), figures.load(), settings.load(), decided.load(job)] : [];
    await Promise.all([...ofRows, runs.load()]);
  }

  onAppearance(() => {
    judged.show();
    decided.repaint();
    if (!figures.element.hidden) figures.load();
    runs.load();
  }, signal);
  show(job);
  if (isOpen(job.status)) {
    await Promise.all([runs.load(), watch()]);
  } else {
    await finish(signal).catch((error) => error.name !== "AbortError" && state.append(failure(error)));
  }
}

function facts(spec, catalogue) {
  const entries = spec.optimizers.map((entry) =>
    h(
      "li",
      {},
      h("strong", {}, nameOf(entry)),
      ` ${optimizerWords(entry, catalogue.optimizer(entry.kind)?.parameters)}`,
    ),
  );
  const rows = [
    ["Problem", problemWords(spec.problem)],
    ["Optimizers", h("ul", { class: "plain" }, entries)],
    ["Training", trainingWords(spec, catalogue)],
    ["Seeds", seedWords(spec)],
    spec.ttl_seconds ? ["Kept", `${duration(spec.ttl_seconds)} after its end`] : null,
    spec.target_loss === null ? null : ["Loss to reach", short(spec.target_loss)],
  ];
  return h(
    "dl",
    { class: "facts" },
    rows.filter(Boolean).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function receipt(job) {
  const { receipt: kept } = job;
  const rows = [
    ["Accepted", moment(job.created_at)],
    ["Started", moment(job.started_at)],
    ["Ended", moment(job.finished_at)],
    ["Took", took(job) ?? "–"],
    ["Runs", job.progress.runs_total.toLocaleString("en")],
    job.decision && ["Decision", decisionWords(job)],
    kept && [
      "Trained with",
      [`torch ${kept.torch}, Ravine ${kept.version}, ${kept.dtype}`, kept.device].filter(Boolean).join(", "),
    ],
    kept && ["Digest", h("code", { title: kept.spec_digest }, kept.spec_digest.slice(0, 12))],
    ["Id", h("code", {}, job.id)],
  ];
  return rows.filter(Boolean).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

/** How a job that decides stands: its seeds, and the verdict of each label that has one. */
function decisionWords({ decision, spec }) {
  const { status, seeds_used: used, max_seeds: most, labels } = decision;
  const known = labels.filter(({ verdict }) => verdict !== "undecided");
  return [
    status,
    status === "open" ? `${used} of ${spec.seeds.count} to ${most} seeds` : `${used} seeds`,
    ...known.map(({ label, verdict }) => `${label} ${verdict}`),
  ].join(", ");
}

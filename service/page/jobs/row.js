// One job in the list, live while it runs.
import { ROOT } from "../api.js";
import { progressBar } from "../controls/progress.js";
import { h } from "../dom.js";
import { moment } from "../format.js";
import { mark } from "../marks.js";
import { chips, isOpen, took } from "../status.js";
import { cancelJob, deleteJob } from "./actions.js";
import { tagLinks } from "./annotations.js";
import { summary } from "./words.js";

/** Make the row: `{element, job, show(job)}`; `ticked()` says whether it is selected, `tick(isIt)` changes that. */
export function rowOf(name, { catalogue, reload, ticked, tick }) {
  const title = h("a", { class: "title" });
  const words = h("div", { class: "caption" });
  const about = h("div", { class: "caption" });
  const state = h("div", { class: "state" });
  const course = h("div", { class: "course" });
  const time = h("time", { class: "caption" });
  const act = h("button", { type: "button", class: "quiet" });
  const bar = progressBar(name);
  const box = h("input", { type: "checkbox", "aria-label": `Select ${name}`, onchange: () => tick(box.checked) });
  const element = h("li", {}, box, h("div", { class: "what" }, title, words, about), state, course, time, act);
  const row = { element, job: null, show };

  function show(job) {
    const before = row.job;
    row.job = job;
    box.checked = ticked();
    if (isOpen(job.status)) bar.show(job);
    if (JSON.stringify(before) === JSON.stringify(job)) return;
    const { runs_total: runs } = job.progress;
    mark(element, "job", job.id);
    title.textContent = job.name;
    title.href = `${ROOT}/jobs/${job.id}`;
    words.textContent = summary(job.spec, catalogue);
    about.replaceChildren(...tagLinks(job), job.note ? h("span", {}, job.note) : "");
    time.textContent = moment(job.created_at);
    time.dateTime = job.created_at;
    state.replaceChildren(...chips(job).filter(Boolean));
    const ended = h(
      "span",
      { class: "caption" },
      [`${runs.toLocaleString("en")} ${runs === 1 ? "run" : "runs"}`, took(job)].filter(Boolean).join(", "),
    );
    const reason = job.error ? h("span", { class: "caption" }, job.error.detail ?? job.error.reason) : null;
    course.replaceChildren(isOpen(job.status) ? bar.element : (reason ?? ended));
    const verb = isOpen(job.status) ? "Cancel" : "Delete";
    act.textContent = verb;
    act.disabled = job.status === "cancelling";
    act.setAttribute("aria-label", `${verb} ${job.name}`);
    act.onclick = async () => {
      const done = isOpen(row.job.status) ? await cancelJob(row.job) : await deleteJob(row.job);
      if (done) await reload();
    };
  }

  return row;
}

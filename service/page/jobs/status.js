// What a job or a run is doing, in a word and a sign, and how far it is.
import { h } from "../dom.js";
import { count, duration } from "../format.js";

const LOOKS = {
  queued: ["○", ""],
  running: ["▶", "live"],
  cancelling: ["■", "live"],
  completed: ["✓", "good"],
  cancelled: ["■", ""],
  failed: ["✕", "warn"],
  diverged: ["↗", "warn"],
};
export const STATUSES = ["queued", "running", "cancelling", "completed", "failed", "cancelled"];
export const RUN_STATUSES = ["queued", "running", "completed", "diverged", "failed", "cancelled"];

/** Whether a job has not ended yet. */
export const isOpen = (status) => ["queued", "running", "cancelling"].includes(status);

/** Show a status. */
export function chip(status, text = status) {
  const [sign, look] = LOOKS[status] ?? ["", ""];
  return h("span", { class: `chip ${look}`, "data-status": status }, h("span", { "aria-hidden": "true" }, sign), text);
}

/** Show the status of a job, and whether runs of it have diverged: that is a result, not a failure. */
export function chips({ status, progress: { runs_diverged: diverged, runs_total: total } }) {
  return [
    chip(status),
    diverged ? chip("diverged", `${diverged.toLocaleString("en")} of ${total.toLocaleString("en")} diverged`) : null,
  ];
}

/** Say how long a job took; null before its end. */
export const took = ({ started_at: from, finished_at: to }) =>
  from && to ? duration((new Date(to) - new Date(from)) / 1000) : null;

/** A bar with epochs done and time left: give `{element, show(job)}`. */
export function progressLine(name) {
  const bar = h("progress", { max: 1, "aria-label": `Progress of ${name}` });
  const line = h("p", { class: "caption" });
  const element = h("div", { class: "progress" }, bar, line);
  let first = null;

  function show({ status, progress: { epochs_done: done, epochs_total: total, fraction } }) {
    if (status === "queued") bar.removeAttribute("value");
    else bar.value = fraction;
    // The pace is what was seen here: the clocks of server and reader need not agree.
    const now = { at: performance.now(), fraction };
    if (status === "running") first ??= now;
    const gained = first ? fraction - first.fraction : 0;
    const seconds = first ? (now.at - first.at) / 1000 : 0;
    const left = gained > 0.02 && seconds > 0.5 ? `, about ${duration((seconds / gained) * (1 - fraction))} left` : "";
    line.textContent =
      status === "queued"
        ? `Waiting for a worker; ${count(total, "epoch")} to train`
        : `${done.toLocaleString("en")} of ${count(total, "epoch")}${status === "cancelling" ? ", stopping" : left}`;
  }

  return { element, show };
}

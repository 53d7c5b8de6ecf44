// Statuses of jobs and runs: their names, and how each is shown.
import { h } from "./dom.js";
import { duration } from "./format.js";

const LOOKS = {
  queued: ["○", ""],
  running: ["▶", "live"],
  cancelling: ["■", "live"],
  completed: ["✓", "good"],
  cancelled: ["■", ""],
  failed: ["✕", "warn"],
  diverged: ["↗", "warn"],
};
const OPEN = ["queued", "running", "cancelling"];
export const STATUSES = [...OPEN, "completed", "failed", "cancelled"];
export const RUN_STATUSES = ["queued", "running", "completed", "diverged", "failed", "cancelled"];

/** Whether a job has not ended yet. */
export const isOpen = (status) => OPEN.includes(status);

/** Show a status. */
export function chip(status, text = status) {
  const [sign, look] = LOOKS[status] ?? ["", ""];
  return h("span", { class: `chip ${look}` }, h("span", { "aria-hidden": "true" }, sign), text);
}

/** Show the status of a job, and how many of its runs diverged. */
export function chips({ status, progress: { runs_diverged: diverged, runs_total: total } }) {
  return [
    chip(status),
    diverged ? chip("diverged", `${diverged.toLocaleString("en")} of ${total.toLocaleString("en")} diverged`) : null,
  ];
}

/** Give how long a job took; null before its end. */
export const took = ({ started_at: from, finished_at: to }) =>
  from && to ? duration((Date.parse(to) - Date.parse(from)) / 1000) : null;

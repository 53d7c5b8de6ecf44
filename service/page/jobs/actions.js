// Actions on a job: cancel, delete, repeat, change, copy.
import { asCurl, post, send } from "../api.js";
import { confirmed } from "../controls/confirm.js";
import { copy, h, note } from "../dom.js";
import { count } from "../format.js";
import { go } from "../navigation.js";
import { isOpen } from "../status.js";
import { addressOf } from "../elsewhere.js";

/** Cancel a job; its rows are kept. Gives the job, or null if it could not be cancelled. */
export async function cancelJob({ id }) {
  try {
    return await post(`/v1/jobs/${id}/cancel`);
  } catch (error) {
    note(error.message, 8);
    return null;
  }
}

/** Delete a job after a confirmation. Gives whether it was deleted. */
export async function deleteJob({ id, name, progress: { runs_total: runs } }) {
  const sure = await confirmed(
    "Delete this job?",
    `${name}: ${count(runs, "run")} and all that they recorded.`,
    "Delete it",
  );
  if (!sure) return false;
  try {
    await send("DELETE", `/v1/jobs/${id}`);
    note("Deleted");
    return true;
  } catch (error) {
    note(error.message, 8);
    return false;
  }
}

/** Make the buttons of a job's page; `changed(job)` is called when it was cancelled. */
export function actions(job, catalogue, changed, tell) {
  const again = async () => {
    try {
      go(`/jobs/${(await post("/v1/jobs", job.spec)).id}`);
    } catch (error) {
      tell(error);
    }
  };
  const stop = async () => {
    const stopped = await cancelJob(job);
    if (stopped) changed(stopped);
  };
  const remove = async () => (await deleteJob(job)) && go("/jobs");
  const elsewhere = addressOf(job, catalogue);
  const curl = () => copy(asCurl("POST", "/v1/jobs", job.spec), "Command");
  return [
    h("button", { type: "button", onclick: again }, "Repeat this job"),
    elsewhere && h("a", { class: "button", href: elsewhere }, "Change and run"),
    h("button", { type: "button", onclick: curl }, "Copy as curl"),
    isOpen(job.status)
      ? h("button", { type: "button", class: "danger", disabled: job.status === "cancelling", onclick: stop }, "Cancel")
      : h("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
  ].filter(Boolean);
}

// What may be done with a job: cancel, delete, repeat, change, copy.
import { ROOT, asCurl, getOnce, post, send } from "../api.js";
import { writeOptimizer } from "../address.js";
import { confirmed } from "../controls/confirm.js";
import { copy, h, note } from "../dom.js";
import { count } from "../format.js";
import { go } from "../main.js";
import { isOpen } from "./status.js";
import { numSeeds, numSettings } from "./words.js";

/** Stop a job; what was recorded stays. Gives the job, or null where it could not be stopped. */
export async function cancelJob({ id }) {
  try {
    return await post(`/v1/jobs/${id}/cancel`);
  } catch (error) {
    note(error.message, 8);
    return null;
  }
}

/** Delete a job, after asking. Gives whether it is gone. */
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
export async function actions(job, changed, tell) {
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
  const race = await raceAddress(job.spec);
  const curl = () => copy(asCurl("POST", "/v1/jobs", job.spec), "Command");
  return [
    h("button", { type: "button", onclick: again }, "Repeat this job"),
    race && h("a", { class: "button", href: race }, "Change and run"),
    h("button", { type: "button", onclick: curl }, "Copy as curl"),
    isOpen(job.status)
      ? h("button", { type: "button", class: "danger", disabled: job.status === "cancelling", onclick: stop }, "Cancel")
      : h("button", { type: "button", class: "danger", onclick: remove }, "Delete"),
  ].filter(Boolean);
}

/** Give the address of the race with the settings of a job; null where the race cannot show them. */
async function raceAddress({ problem, optimizers, epochs, batch_size: batch, seeds, ...spec }) {
  const isPlain = problem.kind === "surface" && !problem.starts && !problem.shift_at && Number.isInteger(batch);
  if (!isPlain || epochs > 2000 || optimizers.length > 8 || optimizers.some((entry) => numSettings(entry) > 1))
    return null;
  const catalogue = (await getOnce("/v1/optimizers")).items;
  const query = new URLSearchParams(problem.name ? { surface: problem.name } : { f: problem.expression });
  if (problem.start) query.set("start", problem.start.join(","));
  for (const entry of optimizers) query.append("o", writeOptimizer(changedOnly(entry, catalogue)));
  if (problem.noise) query.set("noise", problem.noise);
  if (batch !== 1) query.set("batch", batch);
  query.set("steps", epochs);
  const num = numSeeds({ seeds });
  if (num > 1) query.set("seeds", num);
  return `${ROOT}/?${query}`;
}

/** Leave out of an entry what is as the catalogue has it. */
function changedOnly(entry, catalogue) {
  const usual = catalogue.find(({ kind }) => kind === entry.kind)?.parameters.properties ?? {};
  const isUsual = (name, value) =>
    value === null ||
    JSON.stringify(value) === JSON.stringify(usual[name]?.default) ||
    (name.endsWith("schedule") && value.kind === "constant" && !value.warmup_steps) ||
    (name === "label" && value === entry.kind);
  return Object.fromEntries(
    Object.entries(entry).filter(([name, value]) => ["kind", "lr"].includes(name) || !isUsual(name, value)),
  );
}

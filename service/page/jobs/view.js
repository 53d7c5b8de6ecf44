// Jobs: the list of them, the page of one or of one of its runs, or several compared.
import { readAddress } from "../address.js";
import { showAcross } from "./across.js";
import { showJob } from "./job.js";
import { showList } from "./list.js";
import { showRun } from "./run.js";

/** Show the view; ends when the signal aborts. */
export function show(root, { id, run, signal }) {
  if (run) return showRun(root, id, Number(run), signal);
  if (id) return showJob(root, id, signal);
  const jobs = readAddress().get("across");
  return jobs ? showAcross(root, jobs, signal) : showList(root, signal);
}

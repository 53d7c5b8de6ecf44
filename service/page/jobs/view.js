// Jobs: the list of them, or the page of one.
import { showJob } from "./job.js";
import { showList } from "./list.js";

export const show = (root, { id, signal }) => (id ? showJob(root, id, signal) : showList(root, signal));

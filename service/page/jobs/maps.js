// What the networks of a job decide: the maps of the playground, for each setting side by side.
import { getAll } from "../api.js";
import { decisions } from "../decisions.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { Histories } from "../histories.js";

// Most settings side by side.
const MOST = 8;

/** Make the maps of a job: {element, load(job), repaint()}; the element is empty for problems without them. */
export function maps(catalogue, signal) {
  const drawn = decisions({ signal, at: () => {} });
  const note = h("p", { class: "caption" });
  const element = h("div", {}, drawn.element, note);

  /** Read the ends of all runs of an ended job, and draw those that reached the last epoch. */
  async function load({ id, spec, status }) {
    if (status !== "completed" || !catalogue.problem(spec.problem.kind).has_decision) return;
    const histories = new Histories();
    const query = new URLSearchParams({ fields: "loss", max_points: "2", limit: "500" });
    histories.add(await getAll(`/v1/jobs/${id}/metrics?${query}`, { signal, items: "runs" }));
    const labels = [...histories.byLabel().keys()];
    note.textContent = labels.length > MOST ? `The first ${MOST} of ${count(labels.length, "setting")}.` : "";
    await drawn.draw(histories, labels.slice(0, MOST).map((label) => ({ label })), spec);
  }

  return { element, load, repaint: drawn.repaint };
}

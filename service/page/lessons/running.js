// The jobs of a lesson while they run.
import { ROOT } from "../api.js";
import { progressBar } from "../controls/progress.js";
import { h } from "../dom.js";
import { follow } from "../events.js";
import { chip, isOpen } from "../status.js";

// A browser keeps six connections to a server; some stay free for the rest of the page.
const STREAMS = 3;

/** Link to a job. Jobs of another key have no id. */
export const linked = ({ id }, text) => (id ? h("a", { href: `${ROOT}/jobs/${id}` }, text) : h("span", {}, text));

/** Show a line for each job of a lesson: `{element, follow(signal)}`, which resolves when all have ended. */
export function runs({ jobs, presets }) {
  const rows = jobs.map((job) => {
    const title = presets.find(({ name }) => name === job.preset)?.title ?? job.preset;
    const bar = progressBar(title);
    const state = h("span", {}, chip(job.status));
    const element = h(
      "li",
      {},
      h("div", { class: "row" }, linked(job, title), state),
      bar.element,
    );
    const seen = { status: job.status, progress: { epochs_done: 0, epochs_total: 0, fraction: 0 } };
    const show = (part) => {
      Object.assign(seen, part);
      state.replaceChildren(chip(seen.status));
      bar.element.hidden = !isOpen(seen.status) || !seen.progress.epochs_total;
      bar.show(seen);
    };
    show({});
    return { job, element, show };
  });
  const element = h(
    "ul",
    { class: "plain progressing", "aria-label": "Jobs of the lesson" },
    rows.map((row) => row.element),
  );

  async function followAll(signal) {
    const left = rows.filter(({ job }) => job.id && job.status && isOpen(job.status));
    const one = async () => {
      for (let row = left.shift(); row; row = left.shift()) {
        const { job, show } = row;
        // Rows are not needed; one run is the smallest selection.
        const ended = await follow(job.id, {
          fields: ["loss"],
          runs: ["0"],
          maxPoints: 2,
          signal,
          status: (status) => show({ status }),
          progress: (progress) => show({ progress }),
        });
        show({ status: ended.status });
      }
    };
    await Promise.all(Array.from({ length: STREAMS }, one));
  }

  return { element, follow: followAll };
}

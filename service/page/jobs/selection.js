// Jobs that are selected in the list: compared, cancelled or deleted together.
import { ROOT, post, send } from "../api.js";
import { confirmed } from "../controls/confirm.js";
import { h, note } from "../dom.js";
import { count } from "../format.js";
import { isOpen } from "../status.js";

// Most jobs that the API compares at once.
const MOST = 50;

/**
 * Make the bar: {element, of(id), seen(jobs)}.
 *
 * `of(id)` gives what a row needs. `changed()` is called after jobs were cancelled or deleted, `redraw()` when others are
 * selected. Selected jobs stay selected on other pages of the list.
 */
export function selection({ changed, redraw }) {
  const chosen = new Map();
  const known = new Map();
  const element = h("div", { class: "row selection", role: "group", "aria-label": "Selected jobs", hidden: true });

  function show() {
    element.hidden = !chosen.size;
    const jobs = [...chosen.values()];
    const running = jobs.filter(({ status }) => isOpen(status));
    const ended = jobs.filter(({ status }) => !isOpen(status));
    const address = `${ROOT}/jobs?across=${jobs.map(({ id }) => id).join(",")}`;
    const compare =
      jobs.length > 1 && jobs.length <= MOST
        ? h("a", { class: "button main", href: address }, `Compare ${jobs.length} jobs`)
        : h("button", { type: "button", disabled: true }, `Compare 2 to ${MOST} jobs`);
    element.replaceChildren(
      h("span", {}, `${count(jobs.length, "job")} selected`),
      compare,
      ...(running.length ? [button(`Cancel ${running.length}`, () => cancel(running))] : []),
      ...(ended.length ? [button(`Delete ${ended.length}`, () => remove(ended))] : []),
      button("Select none", clear),
    );
  }

  const button = (text, act) => h("button", { type: "button", onclick: act }, text);

  function clear() {
    chosen.clear();
    show();
    redraw();
  }

  async function each(jobs, act, done) {
    let num = 0;
    try {
      for (const job of jobs) {
        await act(job);
        num += 1;
      }
    } catch (error) {
      note(error.message, 8);
    }
    note(`${count(num, "job")} ${done}`);
    clear();
    await changed();
  }

  const cancel = (jobs) => each(jobs, ({ id }) => post(`/v1/jobs/${id}/cancel`), "cancelled");

  async function remove(jobs) {
    const text = `${jobs.map(({ name }) => name).join(", ")}: all runs and all that they recorded.`;
    if (!(await confirmed(`Delete ${count(jobs.length, "job")}?`, text, "Delete them"))) return;
    await each(jobs, ({ id }) => send("DELETE", `/v1/jobs/${id}`), "deleted");
  }

  return {
    element,
    of: (id) => ({
      ticked: () => chosen.has(id),
      tick: (isIt) => {
        if (isIt) chosen.set(id, known.get(id));
        else chosen.delete(id);
        show();
      },
    }),
    /** Take the jobs as they are now. */
    seen(jobs) {
      known.clear();
      for (const job of jobs) {
        known.set(job.id, job);
        if (chosen.has(job.id)) chosen.set(job.id, job);
      }
      show();
    },
  };
}

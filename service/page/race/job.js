// The job of a race: posted, followed to its end, and deleted after the next one.
import { post, send } from "../api.js";
import { follow } from "../events.js";
import { Histories } from "../histories.js";

export class RaceJob {
  constructor() {
    this.job = null;
    // Jobs to delete after the next race, those included that another one has overtaken.
    this.former = new Set();
  }

  /** Keep the job: its page has been opened. */
  keep() {
    this.former.delete(this.job.id);
  }

  /**
   * Run a spec: gives the ended job and its histories; `tell({status, progress})` on the way, and `whole(histories)` once, when
   * all rows have come, which may be before the job's end.
   */
  async run(spec, signal, tell, whole) {
    const posted = await post("/v1/jobs", spec, { signal });
    const { id } = posted;
    const former = [...this.former];
    this.former.add(id);
    let news = posted;
    const say = (part) => tell?.((news = { ...news, ...part }));
    say({});
    const histories = new Histories();
    let isTold = false;
    const told = () => {
      if (!isTold) whole?.(histories);
      isTold = true;
    };
    this.job = await follow(id, {
      fields: ["loss", "position"],
      signal,
      status: (status) => say({ status }),
      progress: (progress) => say({ progress }),
      metrics: (runs) => {
        if (isWhole(histories.add(runs), spec)) told();
      },
      restart: () => histories.clear(),
    });
    if (!this.job.error) told();
    for (const other of former) {
      if (this.former.delete(other)) send("DELETE", `/v1/jobs/${other}`).catch(() => {});
    }
    return { job: this.job, histories };
  }
}

/** Whether every run has its last row; one that diverges has none. */
function isWhole(histories, { optimizers, seeds, epochs }) {
  const runs = [...histories.runs.values()];
  return runs.length === optimizers.length * seeds.count && runs.every(({ epoch }) => epoch.at(-1) === epochs);
}

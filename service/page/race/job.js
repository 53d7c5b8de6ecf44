// The job of a race: posted, followed to its end, and deleted after the next one.
import { post, send } from "../api.js";
import { follow } from "../events.js";
import { Histories } from "../histories.js";

export class RaceJob {
  constructor() {
    this.job = null;
    this.isKept = false;
  }

  /** Keep the job: its page has been opened. */
  keep() {
    this.isKept = true;
  }

  /** Run a spec: gives the ended job and its histories. */
  async run(spec, signal) {
    const before = this.job;
    const { id } = await post("/v1/jobs", spec, { signal });
    const histories = new Histories();
    this.job = await follow(id, {
      fields: ["loss", "position"],
      signal,
      metrics: (runs) => histories.add(runs),
      restart: () => histories.clear(),
    });
    if (before && !this.isKept) send("DELETE", `/v1/jobs/${before.id}`).catch(() => {});
    this.isKept = false;
    return { job: this.job, histories };
  }
}

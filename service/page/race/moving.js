// The race while a slider or the start is dragged: computed in the browser for each frame, else by jobs, one at a time.
import { racersOf } from "./racers.js";
import { specOf } from "./state.js";

// Between two jobs of kinds that the browser cannot compute.
const PAUSE_MS = 250;
// The curves are drawn again when the thumb rests: Plotly takes longer than a frame.
const REST_MS = 150;
// The report of a released slider comes after that of the pointer.
const RELEASE_MS = 50;

export class Moving {
  constructor(race) {
    this.race = race;
    this.state = null;
    this.frame = null;
    this.isTrying = false;
    this.released = () => setTimeout(() => this.cancel(), RELEASE_MS);
  }

  /** Show the race with a part of the settings moved; its job runs when the part is released, by `race.change`. */
  to(part) {
    if (!this.state) {
      this.race.begin();
      // A thumb that is released where it was picked up reports no change.
      addEventListener("pointerup", this.released, { once: true, signal: this.race.signal });
    }
    this.state = { ...(this.state ?? this.race.state), ...part };
    this.frame ??= requestAnimationFrame(() => this.show());
  }

  show() {
    this.frame = null;
    const { race, state } = this;
    if (!state || race.signal.aborted) return;
    if (state.parameters !== race.state.parameters) race.picture.sketch(state);
    race.picture.showStart(state.start);
    if (race.showPreview(state)) {
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.state === state && race.drawChart(), REST_MS);
    } else this.attempt();
  }

  /** Run one job after another while the settings move. */
  async attempt() {
    if (this.isTrying) return;
    this.isTrying = true;
    try {
      for (let tried = null; this.state && tried !== this.state; ) {
        tried = this.state;
        await this.runJob(tried);
        await new Promise((done) => setTimeout(done, PAUSE_MS));
      }
    } finally {
      this.isTrying = false;
    }
  }

  /** Run a job of settings that still move, and draw its paths. */
  async runJob(state) {
    const { race } = this;
    const spec = specOf(state);
    if (!spec) return;
    try {
      const { histories } = await race.job.run(spec, race.runs.next());
      if (!this.state) return;
      race.racers = racersOf(spec, histories.byLabel());
      race.picture.drawPaths(race.racers);
    } catch (error) {
      race.fail(error);
    }
  }

  /** The settings moved back to where they were: race them again. */
  cancel() {
    if (this.state && !this.race.signal.aborted) this.race.change({}, { step: false });
  }

  /** The settings rest: `race.change` has them. */
  end() {
    this.state = null;
    removeEventListener("pointerup", this.released);
  }
}

// The race of some settings as the browser computes it, before the job: while a slider or the start moves.
import { post } from "../api.js";
import { surfaceOf } from "../engine/path.js";
import { raced } from "../engine/race.js";
import { racersOf } from "./racers.js";
import { problemOf, specOf } from "./state.js";

// Updates of all runs in one frame: with more, only the first seeds are drawn while the settings move.
const MOST_UPDATES = 10_000;

export class Preview {
  /** `programOf(state)` gives the program of the surface, or null while it is not known. */
  constructor({ catalogue, programOf }) {
    this.catalogue = catalogue;
    this.programOf = programOf;
    this.own = new Map();
  }

  /** Give the racers of a state, or null where a kind or the surface has no program. */
  racers(state) {
    const spec = specOf(state);
    const program = this.programOf(state);
    if (!spec || !program) return null;
    const mostSeeds = Math.max(1, Math.floor(MOST_UPDATES / (spec.epochs * spec.optimizers.length)));
    const runs = raced({ program, spec, mostSeeds, itemOf: (one) => this.itemOf(one) });
    return runs && racersOf(spec, new Map(runs.map((group, at) => [spec.optimizers[at].label, group])));
  }

  /** Give the function of the loss and gradient at a point, or null. */
  surface(state) {
    const program = this.programOf(state);
    return program && surfaceOf(program, state.start.length, problemOf(state).parameters);
  }

  /** Give the usual part of the plane of a named surface; null of a formula, or where the start lies outside of it. */
  domain({ surface, start }) {
    const domain = this.catalogue.surfaces.find(({ name }) => name === surface)?.domain;
    return domain?.every(([from, to], side) => start[side] >= from && start[side] <= to) ? domain : null;
  }

  /** Give the kind of an optimizer in the catalogue; of a formula, its own program, once it has come. */
  itemOf(one) {
    if (one.kind !== "formula") return this.catalogue.optimizer(one.kind);
    const { label, off, ...entry } = one;
    const key = JSON.stringify([entry.state, entry.parameters, entry.update]);
    if (!this.own.has(key)) {
      this.own.set(key, null);
      post("/v1/optimizers/formula", entry).then(
        (item) => this.own.set(key, item),
        () => this.own.delete(key),
      );
    }
    return this.own.get(key);
  }
}

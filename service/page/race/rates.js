// Learning rates to begin with on a surface: rates at which a method settles, from the engine in the browser.
import { stableRate } from "../engine/rates.js";

/**
 * Give a state with a stable rate for each optimizer that has none.
 *
 * A rate of the catalogue is kept where the method is stable with it; `only(optimizer)` limits the change to some.
 */
export function withStableRates(state, { preview, only = (_optimizer) => true, rates = {} }) {
  const surface = preview.surface(state);
  if (!surface) return state;
  const optimizers = state.optimizers.map((one) => {
    if (!only(one)) return one;
    const suited = rates[one.kind] === undefined ? one : { ...one, lr: rates[one.kind] };
    const lr = stableRate({
      surface,
      start: state.start,
      steps: state.steps,
      one: suited,
      item: preview.itemOf(one),
      first: rates[one.kind],
      domain: preview.domain(state),
    });
    return lr === null ? suited : { ...one, lr };
  });
  return { ...state, optimizers };
}

"""Power: how often the best of five labels is found, beside Holm-corrected paired tests of all pairs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from benchmarks.inference.tables import NUM_DRAWS
from service.findings.comparison.criterion import Measure
from service.findings.comparison.judged import judged

Floats = NDArray[np.float64]
LOG = Measure("final_loss", "log", False, False, 0.0, None)
LABELS = 5
SEEDS = (6, 10, 20, 50)
# By how many standard deviations of a label's own values the best one is ahead.
EFFECTS = (0.5, 1.0, 2.0)


def measure() -> dict[str, Any]:
    """Count how often the set of the best is the best label alone, by three methods."""
    figures: dict[str, Any] = {}
    for seeds in SEEDS:
        for effect in EFFECTS:
            rng = np.random.default_rng([seeds, int(10 * effect)])
            values_DNK = rng.normal(size=(NUM_DRAWS, seeds, LABELS)) + rng.normal(size=(NUM_DRAWS, seeds, 1))
            values_DNK[:, :, 0] -= effect
            names = [f"l{at}" for at in range(LABELS)]
            first_M, second_M = np.triu_indices(LABELS, 1)
            found = [judged(LOG, names, values_NK.T[:, :, None]) for values_NK in values_DNK]
            title = f"power, best of {LABELS} ahead by {effect:g} sd, {seeds} seeds"
            figures[f"{title}: Ravine"] = float(np.mean([one.best == [0] for one in found]))
            figures[f"{title}: two of the four equal labels differ"] = float(
                np.mean([one.pairs.differs_M[first_M > 0].any() for one in found])
            )
            apart_NDM = np.moveaxis(values_DNK[:, :, first_M] - values_DNK[:, :, second_M], 1, 0)
            figures[f"{title}: Holm, signed ranks"] = _found(stats.wilcoxon(apart_NDM, axis=0).pvalue, first_M)
            figures[f"{title}: Holm, t tests"] = _found(stats.ttest_1samp(apart_NDM, 0, axis=0).pvalue, first_M)
    return figures


def _found(p_DM: Floats, first_M: NDArray[np.int64]) -> float:
    """Give the share of draws in which Holm's method rejects every pair of the best label, which is the first."""
    order_DM = np.argsort(p_DM, axis=1)
    steps_M = np.arange(p_DM.shape[1], 0, -1)
    stepped_DM = np.maximum.accumulate(np.take_along_axis(p_DM, order_DM, axis=1) * steps_M, axis=1)
    adjusted_DM = np.empty_like(p_DM)
    np.put_along_axis(adjusted_DM, order_DM, stepped_DM, axis=1)
    return float((adjusted_DM[:, first_M == 0] < 0.05).all(axis=1).mean())

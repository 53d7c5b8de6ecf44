"""Coverage of intervals and ranks where seeds and fixed starts are crossed, with and without true differences."""

from typing import Any

import numpy as np
from scipy.special import ndtr

from benchmarks.inference.tables import NUM_DRAWS
from service.findings.comparison.criterion import Measure
from service.findings.comparison.judged import judged

LOG = Measure("final_loss", "log", False, False, 0.0, None)
LABELS = (2, 6, 20)
SEEDS = (10, 20, 50)
STARTS = (1, 10)
# Standard deviations of the effects of seeds, starts, label × seed, label × start, and the rest.
SEED, START, LABEL_SEED, LABEL_START, REST = 1.0, 1.0, 0.5, 0.5, 0.5


def measure() -> dict[str, Any]:
    """Count how often all intervals of differences, of ranks, and single probabilities hold the truth."""
    figures: dict[str, Any] = {}
    for labels in LABELS:
        for seeds in SEEDS:
            for starts in STARTS:
                for spread in (0.0, 0.5):
                    title = f"{labels} labels, {seeds} seeds, {starts} starts, effects {spread:g}"
                    for kind, value in _coverage(labels, seeds, starts, spread).items():
                        figures[f"crossed, {title}: {kind}"] = value
    return figures


def _coverage(labels: int, seeds: int, starts: int, spread: float) -> dict[str, float]:
    rng = np.random.default_rng([labels, seeds, starts, int(10 * spread)])
    names = [f"l{at}" for at in range(labels)]
    differences = ranks = 0
    probabilities: list[float] = []
    for _ in range(NUM_DRAWS):
        level_K = spread * rng.normal(size=labels)
        own_KT = LABEL_START * rng.normal(size=(labels, starts)) if spread else np.zeros((labels, starts))
        truth_K = level_K + own_KT.mean(axis=1)
        values_KNT = (
            level_K[:, None, None]
            + own_KT[:, None, :]
            + SEED * rng.normal(size=(1, seeds, 1))
            + START * rng.normal(size=(1, 1, starts))
            + LABEL_SEED * rng.normal(size=(labels, seeds, 1))
            + REST * rng.normal(size=(labels, seeds, starts))
        )
        found = judged(LOG, names, values_KNT)
        true_M = truth_K[found.pairs.first_M] - truth_K[found.pairs.second_M]
        differences += bool(((found.pairs.low_M <= true_M) & (true_M <= found.pairs.high_M)).all())
        # The rank of a label lies anywhere between those of the labels that are equal to it.
        better_K = (truth_K[None, :] < truth_K[:, None]).sum(axis=1) + 1
        not_worse_K = (truth_K[None, :] <= truth_K[:, None]).sum(axis=1)
        ranks += bool(((found.ranks.low_K <= better_K) & (not_worse_K <= found.ranks.high_K)).all())
        deviation = np.sqrt(2 * (LABEL_SEED**2 + REST**2 / starts))
        true_share_M = ndtr(-true_M / deviation)
        shares = found.pairs.smaller_M
        probabilities.append(float(((shares.low_M <= true_share_M) & (true_share_M <= shares.high_M)).mean()))
    return {
        "all differences at once": differences / NUM_DRAWS,
        "all ranks at once": ranks / NUM_DRAWS,
        "a probability": float(np.mean(probabilities)),
    }

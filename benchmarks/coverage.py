"""Coverage of 95 % intervals, and false positives of paired tests.

Samples are drawn from a normal and from two skewed distributions, whose true values are known.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import Estimates, Statistic, estimate
from service.analysis.pairs import differences
from service.analysis.signed_rank import signed_rank_p

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

NUM_DRAWS = 2_000
SIZES = (10, 20)
# Number of observations from which the true interquartile mean and median are computed.
NUM_TRUTH = 4_000_000
POPULATIONS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "gamma 2": lambda rng, shape: rng.gamma(2.0, size=shape),
    "lognormal 0.5": lambda rng, shape: rng.lognormal(sigma=0.5, size=shape),
}


def measure() -> dict[str, Any]:
    """Count over 2,000 draws for each population, estimate and number of runs."""
    figures: dict[str, Any] = {}
    for name, draw in POPULATIONS.items():
        rng = np.random.default_rng(1)
        everything = np.sort(draw(np.random.default_rng(2), (1, NUM_TRUTH))[0])
        quarter = NUM_TRUTH // 4
        truths: dict[Statistic, float] = {
            "mean": float(everything.mean()),
            "iqm": float(everything[quarter:-quarter].mean()),
            "median": float(everything[NUM_TRUTH // 2]),
        }
        for num in SIZES:
            samples_CN = draw(rng, (NUM_DRAWS, num))
            for statistic, truth in truths.items():
                figures[f"{statistic}, {name}, n = {num}"] = _covered(estimate(samples_CN, statistic), truth)
    rng = np.random.default_rng(3)
    for num in SIZES:
        # Both samples share the effect of the seed; their noise is independent.
        seeds_CN = rng.lognormal(size=(NUM_DRAWS, num))
        this_CN = seeds_CN - 0.5 + 0.3 * rng.normal(size=seeds_CN.shape)
        figures[f"paired difference, n = {num}"] = _covered(estimate(differences(this_CN, seeds_CN), "mean"), -0.5)
        # Epochs to a target are whole numbers, so the true ratio is that of the rounded numbers.
        epochs_CN = np.ceil(40 * rng.lognormal(sigma=0.4, size=seeds_CN.shape))
        sooner_CN = np.ceil(20 * rng.lognormal(sigma=0.4, size=seeds_CN.shape))
        logarithms_CN = np.log(epochs_CN / sooner_CN)
        truth = float(
            np.log(np.ceil(40 * rng.lognormal(sigma=0.4, size=NUM_TRUTH))).mean()
            - np.log(np.ceil(20 * rng.lognormal(sigma=0.4, size=NUM_TRUTH))).mean()
        )
        figures[f"geometric mean of ratios, n = {num}"] = _covered(estimate(logarithms_CN, "mean"), truth)
        same_CN = rng.normal(size=(NUM_DRAWS, num)) - rng.normal(size=(NUM_DRAWS, num))
        false = np.mean([signed_rank_p(row_N) <= 0.05 for row_N in same_CN])
        figures[f"false positives of the paired test at 5 %, n = {num}"] = float(false)
    return figures


def _covered(found: Estimates, truth: float) -> float:
    return float(np.mean((found.low_C <= truth) & (truth <= found.high_C)))

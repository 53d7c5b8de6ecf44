"""Coverage of the 95 % intervals of single labels: means, interquartile means and medians.

Samples are drawn from a normal and from two skewed distributions, whose true values are known.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import Estimates, Statistic, estimate

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

NUM_DRAWS = 2_000
SIZES = (6, 10, 20)
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
    return figures


def _covered(found: Estimates, truth: float) -> float:
    return float(np.mean((found.low_C <= truth) & (truth <= found.high_C)))

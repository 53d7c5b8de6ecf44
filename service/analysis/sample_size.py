"""Number of seeds at which a difference of a given size would be found."""

import numpy as np
from numpy.typing import NDArray

from service.analysis.special import stdtrit

Floats = NDArray[np.float64]
# Probability of finding the difference with that many seeds.
POWER = 0.8
# More seeds than a job may have.
MAX_SEEDS = 1e6
_STEPS = 20


def seeds_to_find(difference_M: Floats, deviation_M: Floats, alpha: float, at_least: int) -> Floats:
    """Give the smallest number of seeds whose two-sided t test finds a difference with a probability of 80 %.

    n = ((t(1 − α/2, n − 1) + t(0.8, n − 1))·s/|D|)², solved by iteration (Guenther: Sample Size Formulas for Normal
    Theory T Tests, 1981). NaN where there is no difference, no spread, or more than a million seeds would be needed.

    Args:
        difference_M: Mean differences.
        deviation_M: Standard deviations of the differences.
        alpha: Level of a single pair.
        at_least: Fewest seeds for a claim.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scale_M = (deviation_M / np.abs(difference_M)) ** 2
        num_M = np.full(scale_M.shape, 30.0)
        for _ in range(_STEPS):
            degrees_M = np.maximum(num_M - 1, 1.0)
            quantiles_M = stdtrit(degrees_M, POWER) - stdtrit(degrees_M, alpha / 2)
            num_M = np.clip(quantiles_M**2 * scale_M, at_least, 2 * MAX_SEEDS)
        num_M = np.ceil(num_M - 1e-9)
        return np.where((scale_M > 0) & np.isfinite(scale_M) & (num_M <= MAX_SEEDS), num_M, np.nan)

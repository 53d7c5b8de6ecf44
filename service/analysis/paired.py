"""Comparison of two labels on the same seeds: mean difference and mean ratio with Student's interval.

Observation n of both belongs to seed n. Both share initial weights, data order and noise, and their common effect
cancels.
"""

from math import exp, sqrt

import numpy as np
from numpy.typing import NDArray

from service.analysis.estimate import Estimate
from service.analysis.simultaneous import MIN_SEEDS, ROUNDING
from service.analysis.special import stdtrit

Floats = NDArray[np.float64]


def mean(values_N: Floats, alpha: float = 0.05) -> Estimate:
    """Estimate a mean over seeds: x̄ ± t(1 − α/2, N − 1)·s/√N.

    There is no interval with fewer than six seeds, with a value that is not finite, or without spread.
    """
    num = len(values_N)
    middle = float(np.mean(values_N))
    spread = float(np.std(values_N, ddof=1)) if num > 1 and np.isfinite(values_N).all() else 0.0
    if num < MIN_SEEDS or spread <= ROUNDING * float(np.abs(values_N).max()):
        return Estimate(middle, np.nan, np.nan)
    half = -float(stdtrit(num - 1, alpha / 2)) * spread / sqrt(num)
    return Estimate(middle, middle - half, middle + half)


def mean_difference(this_N: Floats, other_N: Floats, alpha: float = 0.05) -> Estimate:
    """Estimate the mean of this − other."""
    return mean(this_N - other_N, alpha)


def mean_ratio(numerator_N: Floats, denominator_N: Floats, alpha: float = 0.05) -> Estimate:
    """Estimate the geometric mean of ratios of positive numbers: exp of the mean difference of their logarithms."""
    logs = mean(np.log(numerator_N) - np.log(denominator_N), alpha)
    return Estimate(exp(logs.value), exp(logs.low), exp(logs.high))

"""Shares of seeds with exact intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.analysis.special import betaincinv

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shares:
    """Shares [M] with intervals; NaN without an interval."""

    value_M: Floats
    low_M: Floats
    high_M: Floats


def shares(count_M: Floats, num: int, alpha: float, has_interval: bool = True) -> Shares:
    """Give shares of ``num`` observations, each with an interval that fails with a probability of at most ``alpha``.

    Clopper and Pearson, The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial, 1934. A tie
    counts half; its observations vary less than those of a binomial share, so that the interval is still conservative.

    Args:
        count_M: How many observations count, from 0 to ``num``.
        num: Number of observations.
        alpha: Largest probability that one interval does not contain the share.
        has_interval: Whether to give intervals.
    """
    nothing_M = np.full(len(count_M), np.nan)
    value_M = count_M / num if num else nothing_M
    if not has_interval or not num:
        return Shares(value_M, nothing_M, nothing_M)
    low_M = np.where(count_M > 0, betaincinv(np.maximum(count_M, 0.5), num - count_M + 1, alpha / 2), 0.0)
    high_M = np.where(count_M < num, betaincinv(count_M + 1, np.maximum(num - count_M, 0.5), 1 - alpha / 2), 1.0)
    return Shares(value_M, low_M, high_M)

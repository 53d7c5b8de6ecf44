"""Wilcoxon's signed-rank test for pairs, and Holm's correction for several tests."""

from math import erfc, sqrt

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# Up to this number of pairs the distribution is counted exactly; above, the normal one is accurate to three digits.
MAX_EXACT = 50


def signed_rank_p(differences_N: Floats) -> float:
    """Give the two-sided p of Wilcoxon's signed-rank test (Individual Comparisons by Ranking Methods, 1945).

    Pairs without a difference are omitted; without any other pair, p is 1. Equal magnitudes share their mean rank. Up
    to 50 pairs the distribution over all 2^N signs is counted exactly, ties included. Above, it is normal with the
    variance corrected for ties, as in scipy.stats.wilcoxon.
    """
    moved_N = differences_N[differences_N != 0]
    if np.isnan(moved_N).any():
        raise ValueError("differences must not contain NaN")
    num = len(moved_N)
    if num == 0:
        return 1.0
    # Twice a mean rank is a whole number.
    _, which_N, ties = np.unique(np.abs(moved_N), return_inverse=True, return_counts=True)
    last = np.cumsum(ties)
    doubled_N = (2 * last - ties + 1)[which_N.reshape(-1)]
    positive = int(doubled_N[moved_N > 0].sum())
    total = int(doubled_N.sum())
    smaller = min(positive, total - positive)
    if num <= MAX_EXACT:
        ways = np.zeros(total + 1)
        ways[0] = 1.0
        for rank in doubled_N.tolist():
            ways[rank:] += ways[:-rank].copy()
        return min(1.0, 2 * float(ways[: smaller + 1].sum() / 2.0**num))
    variance = num * (num + 1) * (2 * num + 1) / 24 - float((ties**3 - ties).sum()) / 48
    return erfc((total / 2 - smaller) / 2 / sqrt(variance) / sqrt(2))


def holm(p_M: Floats) -> Floats:
    """Adjust M p-values so that the chance of any false rejection stays below the level.

    Holm, A Simple Sequentially Rejective Multiple Test Procedure (1979): the k-th smallest (from 0) is multiplied by
    M − k, then made at least as large as the one before it, and at most 1.
    """
    order = np.argsort(p_M, kind="stable")
    stepped = np.maximum.accumulate(p_M[order] * np.arange(len(p_M), 0, -1))
    adjusted_M = np.empty_like(p_M)
    adjusted_M[order] = np.minimum(stepped, 1.0)
    return adjusted_M

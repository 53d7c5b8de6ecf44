"""Benefit and sensitivity of tuning: the expected best of k settings, and the band of good learning rates."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def expected_best(scores_M: Floats, budgets: list[int]) -> list[float]:
    """Give the expected smallest of k out of M scores, drawn at random with replacement, for each budget k.

    E[min] = Σᵢ s₍ᵢ₎·(((M − i + 1)/M)^k − ((M − i)/M)^k), s₍₁₎ ≤ … ≤ s₍M₎ (Dodge et al., Show Your Work: Improved
    Reporting of Experimental Results, 2019). An infinite score with a positive weight makes the expectation infinite.
    """
    sorted_M = np.sort(scores_M)
    num = len(sorted_M)
    left_M = np.arange(num, -1, -1) / num
    found = []
    for budget in budgets:
        weights_M = left_M[:-1] ** budget - left_M[1:] ** budget
        found.append(float((sorted_M[weights_M > 0] * weights_M[weights_M > 0]).sum()))
    return found


def quantiles_of_best(scores_M: Floats, budgets: list[int], level: float) -> list[float]:
    """Give the quantile of the smallest of k out of M scores, drawn at random with replacement, for each budget k.

    P(min ≤ s₍ᵢ₎) = 1 − ((M − i)/M)^k; the quantile is the smallest score for which this is at least ``level``.
    """
    sorted_M = np.sort(scores_M)
    num = len(sorted_M)
    missed_M = np.arange(num - 1, -1, -1) / num
    return [float(sorted_M[int((1 - missed_M**budget >= level).argmax())]) for budget in budgets]


def share_within(scores_M: Floats, tolerance: float = 0.1) -> float:
    """Give the share of scores that are at most best + tolerance·|best|, the best one included."""
    best = scores_M.min()
    return float((scores_M <= best + tolerance * abs(best)).mean())


def band(rates_M: Floats, losses_M: Floats, tolerance: float = 0.1) -> tuple[float, float]:
    """Find the band of learning rates around the best one whose losses are within the tolerance of its loss.

    The band extends to both sides while loss ≤ best + tolerance·|best|.

    Args:
        rates_M: Learning rates, without duplicates.
        losses_M: Their losses; +Infinity if runs diverge.
        tolerance: Largest excess over the best loss, as a share of it; by default 10 %.
    """
    order = np.argsort(rates_M)
    rates_M, losses_M = rates_M[order], losses_M[order]
    best = int(losses_M.argmin())
    within_M = losses_M <= losses_M[best] + tolerance * abs(losses_M[best])
    low = high = best
    while low > 0 and within_M[low - 1]:
        low -= 1
    while high < len(rates_M) - 1 and within_M[high + 1]:
        high += 1
    return float(rates_M[low]), float(rates_M[high])

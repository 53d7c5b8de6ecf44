"""Comparison of pairs of labels at every look, by confidence sequences: drop-in for the intervals of a fixed number.

The intervals of `simultaneous.compare_pairs` hold for a number of seeds that was fixed in advance. A job that stops as
soon as it is sure chooses that number by its values; these intervals hold at every look, so also where it stops.

Legend: N seeds, L looks, K labels, M pairs (a, b) with a before b.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.analysis.proportions import Shares
from service.analysis.sample_size import MAX_SEEDS, POWER
from service.analysis.sequences import half_widths, log_evidence, prefix_moments, share_sequence, widths
from service.analysis.simultaneous import CONFIDENCE, MIN_SEEDS, Pairs, describe_differences
from service.analysis.special import ndtri

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Values per step of a computation over all pairs: 8 MiB.
_AT_ONCE = 1 << 20
_NUM_SIZES = 4_000


@dataclass(frozen=True)
class Looks:
    """Intervals of mean differences at each look, intersected with those of all earlier looks.

    Attributes:
        low_LM: Lower ends; infinite where there is no interval yet.
        high_LM: Upper ends.
        p_M: Smallest p value 1/E of a difference up to the last look, not corrected for the number of pairs; at most
            α exactly where the last interval excludes 0.
    """

    low_LM: Floats
    high_LM: Floats
    p_M: Floats


def differences_at(
    values_NK: Floats, first_M: NDArray[np.int_], second_M: NDArray[np.int_], looks: Integers, alpha: float
) -> Looks:
    """Compare pairs of labels, first − second, at some numbers of seeds in ascending order.

    The truth lies in all intervals of a pair, hence in their intersection, with a probability of at least 1 − α. An
    interval that is disjoint from the earlier ones shows that one of them is wrong; it is left out.
    """
    low_LM, high_LM = (np.empty((len(looks), len(first_M))) for _ in range(2))
    p_M = np.ones(len(first_M))
    step = max(1, _AT_ONCE // max(len(values_NK), 1))
    for begin in range(0, len(first_M) if len(looks) else 0, step):
        part = slice(begin, begin + step)
        moments = prefix_moments(values_NK[:, first_M[part]] - values_NK[:, second_M[part]])
        mean_LP, deviation_LP = (one[looks - 1] for one in moments)
        half_LP = widths(deviation_LP, looks, alpha)
        log_LP = np.where(np.isfinite(half_LP), log_evidence(mean_LP, deviation_LP, looks[:, None], alpha), 0.0)
        low_LM[:, part], high_LM[:, part], most_P = _intersected(mean_LP - half_LP, mean_LP + half_LP, log_LP)
        p_M[part] = np.exp(-most_P)
    return Looks(low_LM, high_LM, p_M)


def sequence_pairs(
    values_NK: Floats, looks: Sequence[int], confidence: float = CONFIDENCE, *, has_intervals: bool = True
) -> Pairs:
    """Compare every pair of labels with intervals that hold at every look and for all pairs at once.

    The interval is that of the last look, α divided by the M pairs, intersected with those before. p is M/E for the
    largest evidence E of the looks. The probability that a is below b has a betting interval of its own. `needed_M` is
    the number of seeds at which the interval excludes 0 with a probability of 80 %, if the difference is as it seems.

    Args:
        values_NK: A finite value of each label for each seed, in the order of the seeds; logarithms where the scale is
            logarithmic.
        looks: Numbers of seeds that were looked at; those above N are ignored.
        confidence: Probability that all intervals hold at once, at all looks.
        has_intervals: Whether to give intervals; not while seeds are missing.
    """
    num, labels = values_NK.shape
    first_M, second_M = np.triu_indices(labels, 1)
    pairs = len(first_M)
    alpha = (1 - confidence) / max(pairs, 1)
    mean_M, spread_M, median_M, wins_M, ties_M = describe_differences(values_NK)
    nothing_M = np.full(pairs, np.nan)
    low_M, high_M, p_M, has_M = nothing_M, nothing_M, nothing_M, np.zeros(pairs, dtype=bool)
    used = np.array([look for look in looks if look <= num], dtype=np.int64)
    if has_intervals and len(used):
        found = differences_at(values_NK, first_M, second_M, used, alpha)
        has_M = np.isfinite(found.low_LM[-1]) & np.isfinite(found.high_LM[-1])
        low_M, high_M = (np.where(has_M, one_LM[-1], np.nan) for one_LM in (found.low_LM, found.high_LM))
        p_M = np.where(has_M, np.minimum(1.0, pairs * found.p_M), np.nan)
    return Pairs(
        num_seeds=num,
        num_labels=labels,
        first_M=first_M.astype(np.int64),
        second_M=second_M.astype(np.int64),
        difference_M=mean_M,
        low_M=low_M,
        high_M=high_M,
        p_M=p_M,
        differs_M=np.asarray((low_M > 0) | (high_M < 0)),
        needed_M=np.where(has_M, seeds_to_exclude_zero(mean_M, spread_M, alpha), np.nan),
        median_M=median_M,
        smaller_M=share_sequence(wins_M, ties_M, num, alpha)
        if has_intervals and num >= MIN_SEEDS
        else Shares((wins_M + ties_M / 2) / num if num else nothing_M, nothing_M, nothing_M),
    )


def seeds_to_exclude_zero(difference_M: Floats, deviation_M: Floats, alpha: float) -> Floats:
    """Give the number of seeds at which a confidence sequence excludes 0 with a probability of 80 %, to 0.3 %.

    The smallest n with s·(h(n) + z(0.8)/√n) ≤ |D|. NaN where there is no difference, no spread, or more than a million
    seeds would be needed.
    """
    sizes = np.unique(np.round(np.geomspace(MIN_SEEDS, MAX_SEEDS, _NUM_SIZES)))
    # Falls with the number of seeds.
    detectable = half_widths(sizes, alpha) + ndtri(POWER) / np.sqrt(sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        effect_M = np.abs(difference_M) / deviation_M
    at_M = np.searchsorted(-detectable, -np.nan_to_num(effect_M, nan=0.0, posinf=0.0))
    return np.where(at_M < len(sizes), sizes[np.minimum(at_M, len(sizes) - 1)], np.nan)


def _intersected(low_LM: Floats, high_LM: Floats, log_LM: Floats) -> tuple[Floats, Floats, Floats]:
    """Intersect the intervals of the looks in order, and give the largest log E of those that are not disjoint."""
    lowest_LM, highest_LM = np.maximum.accumulate(low_LM, axis=0), np.minimum.accumulate(high_LM, axis=0)
    if (lowest_LM <= highest_LM).all():
        return lowest_LM, highest_LM, log_LM.max(axis=0)
    low_LM, high_LM, most_M = low_LM.copy(), high_LM.copy(), log_LM[0]
    for look in range(1, len(low_LM)):
        low_M = np.maximum(low_LM[look], low_LM[look - 1])
        high_M = np.minimum(high_LM[look], high_LM[look - 1])
        meets_M = low_M <= high_M
        low_LM[look] = np.where(meets_M, low_M, low_LM[look - 1])
        high_LM[look] = np.where(meets_M, high_M, high_LM[look - 1])
        most_M = np.where(meets_M, np.maximum(most_M, log_LM[look]), most_M)
    return low_LM, high_LM, most_M

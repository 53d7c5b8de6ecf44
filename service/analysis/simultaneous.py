"""Simultaneous comparison of all pairs of K labels on N seeds: differences, adjusted p, ranks, the set of the best.

With the given confidence no pair is said to differ that does not, and all intervals of differences hold at once.

Legend: N seeds, K labels, M = K(K − 1)/2 pairs (a, b) with a before b.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from service.analysis.proportions import Shares, shares
from service.analysis.sample_size import seeds_to_find
from service.analysis.special import stdtr, stdtrit

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Bools = NDArray[np.bool_]

CONFIDENCE = 0.95
# Fewest seeds for an interval. Up to MAX_NORMAL sign flips of the seeds could not confirm it: it relies on normality.
MIN_SEEDS = 6
MAX_NORMAL = 7
# A spread below this share of the values is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Pairs:
    """Paired comparison of every pair of labels, a − b; NaN where there is no interval.

    Attributes:
        first_M: Position of a.
        second_M: Position of b.
        difference_M: Mean difference over the seeds.
        low_M: Lower end of the simultaneous interval.
        high_M: Upper end.
        p_M: Adjusted p, at most 1 − confidence exactly where the pair differs.
        differs_M: Where the pair differs; its interval then lies on one side of 0, which may be an end.
        needed_M: Seeds at which a difference of this size would be found; NaN where that cannot be said.
        median_M: Median difference.
        smaller_M: Probability that a is below b on the same new seed, ties half, with simultaneous intervals.
    """

    num_seeds: int
    num_labels: int
    first_M: Integers
    second_M: Integers
    difference_M: Floats
    low_M: Floats
    high_M: Floats
    p_M: Floats
    differs_M: Bools
    needed_M: Floats
    median_M: Floats
    smaller_M: Shares

    @property
    def below_M(self) -> Bools:
        """Where a is significantly below b."""
        return np.asarray(self.differs_M & (self.difference_M < 0))

    @property
    def above_M(self) -> Bools:
        """Where a is significantly above b."""
        return np.asarray(self.differs_M & (self.difference_M > 0))

    def at(self, one: int, other: int) -> tuple[int, int]:
        """Find the pair of two labels, and the sign of its difference as one − other."""
        first, second = sorted((one, other))
        before = first * self.num_labels - first * (first + 1) // 2
        return before + second - first - 1, 1 if one < other else -1


@dataclass(frozen=True)
class Ranks:
    """Simultaneous confidence intervals of the ranks [K], 1 for the best."""

    low_K: Integers
    high_K: Integers

    @property
    def best(self) -> list[int]:
        """The labels that no other label is significantly better than."""
        found: list[int] = np.flatnonzero(self.low_K == 1).tolist()
        return found


def compare_pairs(values_NK: Floats, confidence: float = CONFIDENCE, *, has_intervals: bool = True) -> Pairs:
    """Compare every pair of labels by Student's t of their paired differences.

    The interval is D̄ ± t(1 − α/(2M), N − 1)·s/√N (Bonferroni). p is adjusted step by step: the j-th smallest is
    multiplied by the largest number of equal pairs that is possible after j − 1 pairs differ. Where a pair differs by
    this p although its interval reaches over 0, the interval ends at 0. There is no interval and no p with fewer than
    six seeds, and none for a pair whose differences have no spread.

    Args:
        values_NK: A finite value of each label for each seed, logarithms where the scale is logarithmic.
        confidence: Probability that all intervals hold at once.
        has_intervals: Whether to give intervals; not while seeds are missing.

    Sources: Dunn, Multiple Comparisons among Means, 1961; Shaffer, Modified Sequentially Rejective Multiple Test
    Procedures, 1986 (S1).
    """
    num, labels = values_NK.shape
    first_M, second_M = np.triu_indices(labels, 1)
    pairs = len(first_M)
    mean_M, spread_M, median_M, wins_M, ties_M = describe_differences(values_NK)
    error_M = spread_M / sqrt(max(num, 1))
    alpha = (1 - confidence) / max(pairs, 1)
    has_intervals = has_intervals and num >= MIN_SEEDS
    has_M = (error_M > 0) & has_intervals
    with np.errstate(divide="ignore", invalid="ignore"):
        half_M = np.where(has_M, -stdtrit(max(num - 1, 1), alpha / 2) * error_M, np.nan)
        single_M = 2 * stdtr(max(num - 1, 1), -np.abs(mean_M / error_M))
    p_M = _adjusted(np.where(has_M, single_M, np.nan), labels)
    differs_M = p_M <= 1 - confidence
    low_M, high_M = mean_M - half_M, mean_M + half_M
    return Pairs(
        num_seeds=num,
        num_labels=labels,
        first_M=first_M.astype(np.int64),
        second_M=second_M.astype(np.int64),
        difference_M=mean_M,
        low_M=np.where(differs_M & (mean_M > 0), np.maximum(low_M, 0.0), low_M),
        high_M=np.where(differs_M & (mean_M < 0), np.minimum(high_M, 0.0), high_M),
        p_M=p_M,
        differs_M=differs_M,
        needed_M=np.where(has_M, seeds_to_find(mean_M, error_M * sqrt(max(num, 1)), alpha, MIN_SEEDS), np.nan),
        median_M=median_M,
        smaller_M=shares(wins_M + ties_M / 2, num, alpha, has_intervals),
    )


def describe_differences(values_NK: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Give of each pair's differences the mean, the standard deviation, the median, and how many are below 0 and are 0.

    A deviation that is rounding counts as 0. Mean and median are NaN without seeds.
    """
    num, labels = values_NK.shape
    pairs = labels * (labels - 1) // 2
    mean_M, median_M = np.full(pairs, np.nan), np.full(pairs, np.nan)
    spread_M, wins_M, ties_M = np.zeros(pairs), np.zeros(pairs), np.zeros(pairs)
    for part, apart_NP in _differences(values_NK) if num else ():
        mean_M[part], median_M[part] = apart_NP.mean(axis=0), np.median(apart_NP, axis=0)
        spread_P = apart_NP.std(axis=0, ddof=1) if num > 1 else np.zeros(apart_NP.shape[1])
        spread_M[part] = np.where(spread_P > ROUNDING * np.abs(apart_NP).max(axis=0), spread_P, 0.0)
        wins_M[part], ties_M[part] = (apart_NP < 0).sum(axis=0), (apart_NP == 0).sum(axis=0)
    return mean_M, spread_M, median_M, wins_M, ties_M


def rank_sets(pairs: Pairs, *, larger_is_better: bool = False) -> Ranks:
    """Give the confidence interval of every label's rank: [1 + significantly better, K − significantly worse].

    All hold at once with the confidence of the pairs (Mogstad, Romano, Shaikh and Wilhelm, Inference for Ranks with
    Applications to Mobility across Neighbourhoods and Academic Achievement across Countries, 2024).
    """
    first_better_M, second_better_M = pairs.below_M, pairs.above_M
    if larger_is_better:
        first_better_M, second_better_M = second_better_M, first_better_M
    low_K = np.ones(pairs.num_labels, dtype=np.int64)
    high_K = np.full(pairs.num_labels, pairs.num_labels, dtype=np.int64)
    for better_M, winner_M, loser_M in (
        (first_better_M, pairs.first_M, pairs.second_M),
        (second_better_M, pairs.second_M, pairs.first_M),
    ):
        low_K += np.bincount(loser_M[better_M], minlength=pairs.num_labels)
        high_K -= np.bincount(winner_M[better_M], minlength=pairs.num_labels)
    return Ranks(low_K, high_K)


def _adjusted(p_M: Floats, labels: int) -> Floats:
    """Adjust p of all pairs of labels; NaN counts as 1 in the order and stays NaN."""
    order = np.argsort(np.where(np.isnan(p_M), 1.0, p_M), kind="stable")
    stepped = np.maximum.accumulate(np.nan_to_num(p_M[order], nan=1.0) * _equal_pairs(labels))
    adjusted_M = np.empty_like(p_M)
    adjusted_M[order] = np.minimum(stepped, 1.0)
    return np.where(np.isnan(p_M), np.nan, adjusted_M)


@cache
def _equal_pairs(labels: int) -> Floats:
    """Give, for each number of pairs that differ from 0 to M − 1, the largest possible number of equal pairs.

    Equality is transitive: K labels in groups of equal ones have Σ n(n − 1)/2 equal pairs.
    """
    # Bit e of possible[n] is set if n labels can have e equal pairs.
    possible = [1]
    for num in range(1, labels + 1):
        found = 0
        for size in range(1, num + 1):
            found |= possible[num - size] << (size * (size - 1) // 2)
        possible.append(found)
    pairs = labels * (labels - 1) // 2
    # The largest possible number up to M − apart is the highest bit up to there.
    return np.array(
        [(possible[labels] & ((2 << (pairs - apart)) - 1)).bit_length() - 1 for apart in range(pairs)], float
    )


def _differences(values_NK: Floats) -> Iterator[tuple[slice, Floats]]:
    """Yield the differences of each label and all later ones, with the place of these pairs."""
    begin = 0
    for label in range(values_NK.shape[1] - 1):
        apart_NP = values_NK[:, [label]] - values_NK[:, label + 1 :]
        yield slice(begin, begin + apart_NP.shape[1]), apart_NP
        begin += apart_NP.shape[1]

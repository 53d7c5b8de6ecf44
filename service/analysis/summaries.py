"""Summaries of the runs of several settings: median, mean and interquartile mean with intervals, and ranks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import Statistic, estimate
from service.analysis.pairs import Estimate, differences

Floats = NDArray[np.float64]
STATISTICS: tuple[Statistic, ...] = ("median", "mean", "iqm")


@dataclass(frozen=True)
class Summary:
    """Summary of N observations."""

    num: int
    median: Estimate
    mean: Estimate
    iqm: Estimate
    smallest: float
    largest: float


def summaries(samples: Sequence[Floats]) -> list[Summary | None]:
    """Summarize samples, all samples of equal size at once; None for an empty one."""
    found: list[Summary | None] = [None] * len(samples)
    sizes = np.array([len(sample) for sample in samples])
    for num in set(sizes.tolist()) - {0}:
        places = np.flatnonzero(sizes == num).tolist()
        stacked_CN = np.stack([samples[place] for place in places])
        by_statistic = {statistic: estimate(stacked_CN, statistic) for statistic in STATISTICS}
        for at, place in enumerate(places):
            found[place] = Summary(
                num=num,
                **{statistic: Estimate.of(estimates, at) for statistic, estimates in by_statistic.items()},
                smallest=float(stacked_CN[at].min()),
                largest=float(stacked_CN[at].max()),
            )
    return found


def medians(values_SN: Floats) -> Floats:
    """Give the median of each row without NaN values; NaN for an empty row."""
    sorted_SN = np.sort(values_SN, axis=1)
    num_S = (~np.isnan(sorted_SN)).sum(axis=1)
    rows = np.arange(len(sorted_SN))
    low_S = sorted_SN[rows, np.maximum(num_S - 1, 0) // 2]
    high_S = sorted_SN[rows, np.minimum(num_S // 2, max(0, sorted_SN.shape[1] - 1))]
    same_S = low_S == high_S
    return np.where(same_S, low_S, (np.where(same_S, 0.0, low_S) + np.where(same_S, 0.0, high_S)) / 2)


def ranks(samples_SN: Floats) -> list[int]:
    """Rank settings by the interquartile mean, smallest first; equal ranks where intervals do not distinguish them.

    In this order, a setting has the rank of the best setting of the current group if the 95 % interval of the
    interquartile mean of their paired differences contains zero. Otherwise it starts a new group, whose rank is its
    position. Without intervals (a single pair) only equal values share a rank.

    Args:
        samples_SN: Losses, pairs in columns; +Infinity for runs that diverged, NaN for missing runs.
    """
    centres = []
    for sample_N in samples_SN:
        there = sample_N[~np.isnan(sample_N)]
        centres.append(float(estimate_centre(there)) if len(there) else np.inf)
    order = np.argsort(np.array(centres), kind="stable").tolist()
    found = [0] * len(order)
    leader = order[0]
    for position, setting in enumerate(order, start=1):
        if setting == leader:
            found[setting] = position
            continue
        both_N = ~np.isnan(samples_SN[setting]) & ~np.isnan(samples_SN[leader])
        apart_N = differences(samples_SN[setting][both_N], samples_SN[leader][both_N])
        gap = estimate(apart_N[None], "iqm") if len(apart_N) else None
        tied = gap is None or gap.value_C[0] == 0 or gap.low_C[0] <= 0 <= gap.high_C[0]
        if tied:
            found[setting] = found[leader]
        else:
            leader, found[setting] = setting, position
    return found


def estimate_centre(sample_N: Floats) -> float:
    """Give the interquartile mean without an interval."""
    cut = len(sample_N) // 4
    return float(np.sort(sample_N)[cut : len(sample_N) - cut].mean())

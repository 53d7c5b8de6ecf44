"""Summaries of the seeds of several settings: median, mean and interquartile mean with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import Statistic, estimate
from service.analysis.estimate import Estimate

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

    def as_dict(self) -> dict[str, Any]:
        """Give all numbers; faster than dataclasses.asdict, which copies each."""
        return {name: vars(value) if isinstance(value, Estimate) else value for name, value in vars(self).items()}


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
                **{
                    statistic: Estimate(
                        *(float(part[at]) for part in (estimates.value_C, estimates.low_C, estimates.high_C))
                    )
                    for statistic, estimates in by_statistic.items()
                },
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


def median_scores(values_SN: Floats, *, larger_is_better: bool) -> Floats:
    """Give the median of each row as a score, smaller is better; infinite for a row without values."""
    sign = -1.0 if larger_is_better else 1.0
    median_S = sign * medians(values_SN)
    return np.where(np.isnan(median_S), np.inf, median_S)

"""Paired comparison of two optimizers on the same seeds and starts: differences, ratios, probabilities.

Observation n of both has the same seed and the same start. A pair therefore shares initial weights, data order and
noise, and their common effect cancels.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import MAX_BOOTSTRAP, Estimates, Statistic, Z, counts, estimate, interval_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval; NaN without an interval."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, estimates: Estimates, at: int = 0) -> "Estimate":
        """Give one of several estimates."""
        return cls(float(estimates.value_C[at]), float(estimates.low_C[at]), float(estimates.high_C[at]))


@dataclass(frozen=True)
class SpeedUp:
    """Speed-up over the baseline, and the counts of pairs that the ratio omits."""

    ratio: Estimate | None
    median_ratio: float | None
    both: int
    only_this: int
    only_baseline: int
    neither: int


def differences(this_N: Floats, baseline_N: Floats) -> Floats:
    """Subtract pair by pair, this − baseline; the difference of two infinities is 0, because both diverged."""
    same_N = this_N == baseline_N
    return np.where(same_N, 0.0, np.where(same_N, 0.0, this_N) - np.where(same_N, 0.0, baseline_N))


def paired_difference(this_N: Floats, baseline_N: Floats, statistic: Statistic = "mean") -> Estimate:
    """Estimate the difference this − baseline over the pairs, with its 95 % interval."""
    return Estimate.of(estimate(differences(this_N, baseline_N)[None], statistic))


def geometric_mean_ratio(numerator_N: Floats, denominator_N: Floats) -> Estimate:
    """Estimate the geometric mean of ratios of finite positive numbers: exp of the mean of their logarithms."""
    logarithms = estimate(np.log(numerator_N / denominator_N)[None], "mean")
    return Estimate(*(float(np.exp(part[0])) for part in (logarithms.value_C, logarithms.low_C, logarithms.high_C)))


def speed_up(this_N: Floats, baseline_N: Floats) -> SpeedUp:
    """Compare epochs to a target as baseline / this: above 1, this one needs fewer. A miss is infinite.

    The geometric mean is over the pairs in which both reach the target after epoch 0; the other pairs are counted. The
    median ratio is over all pairs in which at least one reaches it: 0 if only the baseline does, infinite if only this
    one does.
    """
    here_N, there_N = np.isfinite(this_N), np.isfinite(baseline_N)
    compared_N = here_N & there_N & (this_N > 0) & (baseline_N > 0)
    any_N = (here_N | there_N) & (compared_N | (here_N ^ there_N))
    with np.errstate(divide="ignore"):
        ratios = baseline_N[any_N] / np.where(np.isinf(this_N[any_N]), np.inf, this_N[any_N])
    return SpeedUp(
        ratio=geometric_mean_ratio(baseline_N[compared_N], this_N[compared_N]) if compared_N.any() else None,
        median_ratio=_median(ratios) if any_N.any() else None,
        both=int((here_N & there_N).sum()),
        only_this=int((here_N & ~there_N).sum()),
        only_baseline=int((~here_N & there_N).sum()),
        neither=int((~here_N & ~there_N).sum()),
    )


def probability_of_improvement(this_N: Floats, baseline_N: Floats) -> Estimate:
    """Estimate P(this < baseline) + ½ P(this = baseline) for a run of each, drawn independently.

    The Mann–Whitney statistic over all N² pairs, as Agarwal et al. (2021) define it; seeds are resampled for both
    at once, since the runs share them. Above 200 pairs the interval is normal, from the placements of the
    observations (DeLong, DeLong, Clarke-Pearson 1988).
    """
    num = len(this_N)
    if num > MAX_BOOTSTRAP:
        return _by_placements(this_N, baseline_N)
    better_NN = (this_N[:, None] < baseline_N) + 0.5 * (this_N[:, None] == baseline_N)
    if num < 2:
        return Estimate(float(better_NN.mean()), np.nan, np.nan)
    counts_BN = counts(num)
    resampled_B = ((counts_BN @ better_NN) * counts_BN).sum(axis=1) / num**2
    low, high = interval_of(resampled_B[None], num)
    return Estimate(float(better_NN.mean()), float(low[0]), float(high[0]))


def _by_placements(this_N: Floats, baseline_N: Floats) -> Estimate:
    num = len(this_N)
    this_sorted, baseline_sorted = np.sort(this_N), np.sort(baseline_N)
    beaten_N = num - _mid_positions(baseline_sorted, this_N)
    beating_N = _mid_positions(this_sorted, baseline_N)
    value = float(beaten_N.mean()) / num
    error = float((beaten_N + beating_N).std(ddof=1)) / num / sqrt(num)
    return Estimate(value, max(0.0, value - Z * error), min(1.0, value + Z * error))


def _mid_positions(sorted_N: Floats, values_N: Floats) -> Floats:
    """Count the values below each value; ties count half."""
    below = np.searchsorted(sorted_N, values_N, side="left") + np.searchsorted(sorted_N, values_N, side="right")
    return np.asarray(below / 2)


def _median(values_N: Floats) -> float:
    ordered_N = np.sort(values_N)
    low, high = ordered_N[(len(ordered_N) - 1) // 2], ordered_N[len(ordered_N) // 2]
    return float(low if low == high else (low + high) / 2)

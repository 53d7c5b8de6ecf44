"""Estimates with 95 % bootstrap intervals: mean, interquartile mean and median of a few runs.

Every estimate is a weighted sum of the sorted sample. The estimate of a resample is a weighted sum of the same sorted
sample; its weights depend only on the number of observations. One matrix product therefore computes the resampled
estimates of all samples.

Legend: C samples (columns of a table), N observations in each, B resamples.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import erfc, sqrt
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from service.analysis.simultaneous import MIN_SEEDS
from service.analysis.special import stdtrit

Floats = NDArray[np.float64]
Statistic = Literal["mean", "iqm", "median"]

LEVEL = 0.95
NUM_RESAMPLES = 4_000
SEED = 0
# Below MIN_STUDENTIZED observations, too many resamples repeat a single value, which has no standard error. Above
# MAX_BOOTSTRAP the normal interval, to which the bootstrap tends, takes a thousandth of the time.
MIN_STUDENTIZED = 8
MAX_BOOTSTRAP = 200
# Resampled values in memory at once: 1 MB, which fits a processor's cache.
CHUNK_NUMBERS = 131_072

Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True)
class Estimates:
    """One estimate of each of C samples and its interval; NaN without an interval (fewer than six observations)."""

    value_C: Floats
    low_C: Floats
    high_C: Floats


def estimate(samples_CN: Floats, statistic: Statistic) -> Estimates:
    """Estimate the mean, the interquartile mean or the median of each row, with its 95 % interval.

    The interquartile mean leaves out the lowest and the highest quarter, ⌊N/4⌋ runs each (Agarwal et al., Deep
    Reinforcement Learning at the Edge of the Statistical Precipice, 2021; equal to scipy.stats.trim_mean). +Infinity
    is a value like others: more than a quarter of them make the interquartile mean infinite, half of them the median.

    Intervals, N from 6 to 200, from 4,000 resamples (Efron, Bootstrap Methods: Another Look at the Jackknife, 1979):

    - mean, N ≥ 8, all finite: studentized (Efron, Tibshirani: An Introduction to the Bootstrap, 1993, chapter 12),
      limited to the range of the sample, which an outlier could otherwise make it exceed by far;
    - all others: percentiles, expanded because plain ones are too narrow for small N (Hesterberg, What Teachers Should
      Know About the Bootstrap, 2015, section 5.3); interquartile means and medians of N ≥ 8 by √(N/(N−1)) only.

    Above 200: normal, with the standard error of a trimmed mean (Tukey, McLaughlin 1963), or the order statistics
    N/2 ± 1.96·√N/2 for the median.

    Args:
        samples_CN: Observations, without NaN. Samples of another size need a separate call.
        statistic: Which estimate.
    """
    if np.isnan(samples_CN).any():
        raise ValueError("a sample must not contain NaN: count it as infinite, or leave it out")
    num = samples_CN.shape[1]
    sorted_CN = np.sort(samples_CN, axis=1)
    value_C = _weighted(sorted_CN, _weights(np.arange(num)[None], statistic, num))[:, 0]
    if num < MIN_SEEDS:
        nothing_C = np.full(len(value_C), np.nan)
        return Estimates(value_C, nothing_C, nothing_C)
    if num > MAX_BOOTSTRAP:
        low_C, high_C = _normal(sorted_CN, value_C, statistic)
        return Estimates(value_C, low_C, high_C)
    low_C, high_C = np.empty_like(value_C), np.empty_like(value_C)
    step = max(1, CHUNK_NUMBERS // NUM_RESAMPLES)
    for first in range(0, len(sorted_CN), step):
        part = slice(first, first + step)
        low_C[part], high_C[part] = _bootstrap(sorted_CN[part], value_C[part], statistic)
    return Estimates(value_C, low_C, high_C)


def interval_of(resampled_CB: Floats, num: int, quantile: float | None = None) -> tuple[Floats, Floats]:
    """Give the expanded percentile interval of values computed from resamples of ``num`` observations.

    The tail left out on each side is Φ(−q·√(N/(N−1))) instead of 2.5 %, q by default the 97.5 % quantile of Student's
    distribution with N − 1 degrees of freedom.
    """
    quantile = float(stdtrit(num - 1, (1 + LEVEL) / 2)) if quantile is None else quantile
    tail = normal_cdf(-quantile * sqrt(num / (num - 1)))
    count = resampled_CB.shape[1]
    low, high = int(tail * count), min(count - 1, int(np.ceil((1 - tail) * count)) - 1)
    parted_CB = np.partition(resampled_CB, [low, high], axis=1)
    return parted_CB[:, low], parted_CB[:, high]


@lru_cache(maxsize=4)
def resamples(num: int) -> NDArray[np.int64]:
    """Draw the sorted positions of all resamples of ``num`` observations, [B, N]; the same in every call."""
    return np.sort(np.random.default_rng(SEED).integers(0, num, (NUM_RESAMPLES, num)), axis=1)


def normal_cdf(z: float) -> float:
    """Give Φ(z)."""
    return erfc(-z / sqrt(2)) / 2


def _weights(drawn_BN: NDArray[np.int64], statistic: Statistic, num: int) -> Floats:
    """Give the weights of the sorted observations in the estimate of each resample, [B, N]."""
    lowest, highest = _kept(statistic, num)
    kept_BK = drawn_BN[:, lowest:highest]
    flat = (np.arange(len(kept_BK))[:, None] * num + kept_BK).ravel()
    counts_BN = np.bincount(flat, minlength=len(kept_BK) * num).reshape(len(kept_BK), num)
    return counts_BN / (highest - lowest)


@lru_cache(maxsize=6)
def _resampled_weights(statistic: Statistic, num: int) -> Floats:
    return _weights(resamples(num), statistic, num)


def _kept(statistic: Statistic, num: int) -> tuple[int, int]:
    """Give the range of sorted positions that an estimate averages: the first, and one past the last."""
    cut = {"mean": 0, "iqm": num // 4, "median": (num - 1) // 2}[statistic]
    return cut, num - cut


def _weighted(sorted_CN: Floats, weights_BN: Floats) -> Floats:
    """Compute weighted sums, [C, B], with infinity times zero as zero."""
    infinite_CN = np.isinf(sorted_CN)
    if not infinite_CN.any():
        return np.asarray(sorted_CN @ weights_BN.T)
    sums_CB = np.where(infinite_CN, 0.0, sorted_CN) @ weights_BN.T
    falls_CB = (np.isneginf(sorted_CN) @ weights_BN.T) > 0
    rises_CB = (np.isposinf(sorted_CN) @ weights_BN.T) > 0
    sums_CB[falls_CB], sums_CB[rises_CB] = -np.inf, np.inf
    sums_CB[falls_CB & rises_CB] = 0.0
    return np.asarray(sums_CB)


def _bootstrap(sorted_CN: Floats, value_C: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    num = sorted_CN.shape[1]
    weights_BN = _resampled_weights(statistic, num)
    finite_C = np.isfinite(sorted_CN).all(axis=1)
    centre_C = np.where(finite_C, value_C, 0.0)
    # Around the estimate, so that squares of large numbers do not cancel.
    around_CN = sorted_CN - centre_C[:, None]
    moved_CB = _weighted(around_CN, weights_BN)
    low_C, high_C = np.full(len(value_C), np.nan), np.full(len(value_C), np.nan)
    if statistic == "mean" and num >= MIN_STUDENTIZED:
        chosen_C = np.flatnonzero(finite_C)
        below, above = _studentized(around_CN[chosen_C], moved_CB[chosen_C], weights_BN)
        usable = np.isfinite(below) & np.isfinite(above)
        chosen_C = chosen_C[usable]
        low_C[chosen_C] = np.maximum(below[usable], around_CN[chosen_C, 0])
        high_C[chosen_C] = np.minimum(above[usable], around_CN[chosen_C, -1])
    rest_C = np.isnan(low_C)
    if rest_C.any():
        # Not Student's quantile: for these estimates with N ≥ 10 its intervals would cover 98 % instead of 95 %.
        robust = statistic != "mean" and num >= MIN_STUDENTIZED
        low_C[rest_C], high_C[rest_C] = interval_of(moved_CB[rest_C], num, Z if robust else None)
    return low_C + centre_C, high_C + centre_C


def _studentized(around_CN: Floats, moved_CB: Floats, weights_BN: Floats) -> tuple[Floats, Floats]:
    """Divide the deviation of each resample by its standard error, and compute the interval from the quantiles."""
    num = around_CN.shape[1]
    error_C = around_CN.std(axis=1, ddof=1) / sqrt(num)
    variance_CB = (around_CN**2) @ weights_BN.T
    variance_CB -= moved_CB**2
    # The spread of a resample of a single value is only rounding, so its ratio counts as infinite.
    variance_CB[variance_CB <= 1e-18 * (num * error_C**2)[:, None]] = 0.0
    error_CB = np.sqrt(variance_CB / (num - 1), out=variance_CB)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_CB = np.divide(moved_CB, error_CB, out=error_CB)
    at = int((1 - LEVEL) / 2 * NUM_RESAMPLES)
    # NaN (no deviation, no spread) sorts last, as infinity does. With many of them the limit is not finite.
    ratio_CB.partition([at, NUM_RESAMPLES - 1 - at], axis=1)
    with np.errstate(invalid="ignore"):
        return -ratio_CB[:, -at - 1] * error_C, -ratio_CB[:, at] * error_C


def _normal(sorted_CN: Floats, value_C: Floats, statistic: Statistic) -> tuple[Floats, Floats]:
    num = sorted_CN.shape[1]
    if statistic == "median":
        half = Z * sqrt(num) / 2
        return sorted_CN[:, int(num / 2 - half)], sorted_CN[:, int(np.ceil(num / 2 + half)) - 1]
    lowest, highest = _kept(statistic, num)
    winsorized_CN = np.clip(sorted_CN, sorted_CN[:, [lowest]], sorted_CN[:, [highest - 1]])
    with np.errstate(invalid="ignore"):
        error_C = winsorized_CN.std(axis=1, ddof=1) / ((highest - lowest) / num * sqrt(num))
    error_C = np.where(np.isfinite(value_C), error_C, 0.0)
    return value_C - Z * error_C, value_C + Z * error_C

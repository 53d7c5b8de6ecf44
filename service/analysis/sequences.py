"""Confidence sequences: intervals of a mean or of a share that hold at every number of seeds at once.

An ordinary interval holds at one number of seeds, fixed in advance. A confidence sequence may be inspected after every
seed, and its run stopped at any: with the given confidence no interval of the sequence misses the truth.

Legend: N seeds, M sequences. Row n of a result is the interval from the first n + 1 seeds; it depends on no later seed.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from service.analysis.proportions import Shares
from service.analysis.simultaneous import MIN_SEEDS, ROUNDING

Floats = NDArray[np.float64]

# The number of seeds at which intervals of means are narrowest, compared with those of other tunings.
SHARPEST = 30
# Number of bets over which the capital of a share is averaged, and steps of the search for the ends of its interval.
_NUM_BETS = 128
_STEPS = 30


def mean_sequence(values: ArrayLike, confidence: float, first_look: int = MIN_SEEDS) -> tuple[Floats, Floats]:
    """Give the interval of the mean from every prefix of the values.

    The interval holds all μ against which the evidence E(μ), see `log_evidence`, stays below 1/α, with α = 1 −
    confidence: x̄ ± s·h(n), h from `half_widths`. For normal values it is exact at every n. For many seeds it is the
    asymptotic confidence sequence of any values with a variance.

    Args:
        values: Finite values [N] or [N, M], in the order of the seeds.
        confidence: Probability that all intervals of one sequence hold.
        first_look: Number of seeds before which there is no interval; at least six.

    Returns:
        Lower and upper ends, of the shape of the values; infinite where there is no interval: before the first look,
        and without spread.

    Sources: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform Central Limit Theory and Asymptotic
    Confidence Sequences, 2024; Wang and Ramdas, Anytime-valid t-tests and Confidence Sequences for Gaussian Means with
    Unknown Variance, 2025.
    """
    mean, deviation = prefix_moments(np.asarray(values, dtype=np.float64))
    num = np.arange(1, len(mean) + 1)
    width = widths(deviation, num, 1 - confidence)
    width[: max(first_look, 1) - 1] = np.inf
    return mean - width, mean + width


def prefix_moments(values: Floats) -> tuple[Floats, Floats]:
    """Give mean and standard deviation of every prefix; the deviation is 0 where it is rounding.

    Sums are of distances from the first value, which keeps their rounding errors far below the spread.
    """
    num = np.arange(1, len(values) + 1, dtype=np.float64).reshape(-1, *[1] * (values.ndim - 1))
    apart = values - values[:1]
    total = np.cumsum(apart, axis=0)
    squares = np.cumsum(apart * apart, axis=0) - total * total / num
    deviation = np.sqrt(np.maximum(squares, 0.0) / np.maximum(num - 1, 1.0))
    size = np.maximum.accumulate(np.abs(values), axis=0)
    return values[:1] + total / num, np.where(deviation > ROUNDING * size, deviation, 0.0)


def prior_variance(alpha: float) -> float:
    """Give ρ², the variance of the standardized means that the evidence is averaged over.

    ρ² = (−2 log α + log(1 − 2 log α))/30 makes the interval narrowest at 30 seeds (Waudby-Smith et al., 2024),
    and costs at most a tenth of its width from 20 to 500 seeds.
    """
    return float((-2 * np.log(alpha) + np.log1p(-2 * np.log(alpha))) / SHARPEST)


def half_widths(num: ArrayLike, alpha: float) -> Floats:
    """Give h(n), half the width of the interval of a mean in standard deviations; infinite where no value is excluded.

    With g = 1 + nρ² and c = (g/α²)^(1/n), h² = (n − 1)(c − 1)/(n(1 − c/g)). For large n this is the boundary of the
    asymptotic confidence sequence, h² = g·log(g/α²)/(n²ρ²).
    """
    num_L = np.atleast_1d(np.asarray(num, dtype=np.float64))
    growth_L = 1 + num_L * prior_variance(alpha)
    log_L = (np.log(growth_L) - 2 * np.log(alpha)) / num_L
    room_L = -np.expm1(log_L - np.log(growth_L))
    with np.errstate(divide="ignore", over="ignore"):
        squared_L = (num_L - 1) / num_L * np.expm1(log_L) / np.where(room_L > 0, room_L, np.nan)
    return np.where((room_L > 0) & (num_L > 1), np.sqrt(squared_L), np.inf)


def widths(deviation: Floats, num_L: NDArray[np.int64], alpha: float) -> Floats:
    """Give half the width of intervals from deviations [L] or [L, M]; infinite below six seeds and without spread."""
    half_L = np.where(num_L >= MIN_SEEDS, half_widths(num_L, alpha), np.inf)
    with np.errstate(invalid="ignore"):
        return np.where(deviation > 0, half_L.reshape(-1, *[1] * (deviation.ndim - 1)) * deviation, np.inf)


def log_evidence(mean: Floats, deviation: Floats, num: ArrayLike, alpha: float) -> Floats:
    """Give the logarithm of the evidence against a mean of 0; 1/E is a p value that is valid at every n.

    E = g^(−1/2)·((1 + t²/(n − 1))/(1 + t²/((n − 1)g)))^(n/2), with Student's t and g = 1 + nρ²: the likelihood ratio of
    the t statistic, averaged over standardized means from N(0, ρ²) (Gönen, Johnson, Lu and Westfall, The Bayesian
    Two-sample t Test, 2005). For normal values of mean 0 it exceeds 1/α at any n with a probability of at most α.
    """
    num = np.asarray(num, dtype=np.float64)
    growth = 1 + num * prior_variance(alpha)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(deviation > 0, num * (mean / deviation) ** 2 / np.maximum(num - 1, 1.0), 0.0)
    return np.asarray(num / 2 * (np.log1p(ratio) - np.log1p(ratio / growth)) - np.log(growth) / 2)


def share_sequence(wins_M: ArrayLike, ties_M: ArrayLike, num: int, alpha: float) -> Shares:
    """Give the share of wins, ties half, with an interval that holds at every number of seeds.

    A bet against the share m turns a capital of 1 into ∏ (1 + λ(xₙ − m)), with xₙ = 1, ½ or 0. If m is the true share,
    no bet gains on average, so the mean capital of many bets exceeds 1/α at any n with a probability of at most α. The
    interval holds all m at which it has not. The bets are λ = (q − m)/(m(1 − m)) for 128 quantiles q of the arcsine
    distribution, so that a win multiplies the capital by q/m, a loss by (1 − q)/(1 − m), a tie by the mean of both.

    Args:
        wins_M: Number of wins.
        ties_M: Number of ties.
        num: Number of seeds.
        alpha: Largest probability that one sequence ever misses the share.

    Sources: Waudby-Smith and Ramdas, Estimating Means of Bounded Random Variables by Betting, 2024; Orabona and Jun,
    Tight Concentrations and Confidence Sequences from the Regret of Universal Portfolio, 2024.
    """
    wins_M, ties_M = np.asarray(wins_M, dtype=np.float64), np.asarray(ties_M, dtype=np.float64)
    nothing_M = np.full(len(wins_M), np.nan)
    if not num:
        return Shares(nothing_M, nothing_M, nothing_M)
    # Many pairs have the same counts.
    counts_UC, of_M = np.unique(np.stack([wins_M, ties_M], axis=1), axis=0, return_inverse=True)
    middle_U = (counts_UC[:, 0] + counts_UC[:, 1] / 2) / num
    low_U, high_U = (_end(counts_UC, num, middle_U, limit, -np.log(alpha)) for limit in (0.0, 1.0))
    at_M = of_M.reshape(-1)
    return Shares(middle_U[at_M], low_U[at_M], high_U[at_M])


def _end(counts_UC: Floats, num: int, middle_U: Floats, limit: float, threshold: float) -> Floats:
    """Search for the end of each interval between the share itself, where no capital exceeds 1, and 0 or 1."""
    inside_U, outside_U = middle_U.copy(), np.full_like(middle_U, limit)
    for _ in range(_STEPS):
        tried_U = (inside_U + outside_U) / 2
        holds_U = _log_capital(counts_UC, num, tried_U) < threshold
        inside_U, outside_U = np.where(holds_U, tried_U, inside_U), np.where(holds_U, outside_U, tried_U)
    return outside_U


def _log_capital(counts_UC: Floats, num: int, share_U: Floats) -> Floats:
    """Give the logarithm of the mean capital of all bets against a share strictly between 0 and 1."""
    wins_U1, ties_U1 = counts_UC[:, :1], counts_UC[:, 1:]
    open_U1 = np.clip(share_U, np.finfo(float).tiny, 1 - np.finfo(float).epsneg)[:, None]
    log_UQ = wins_U1 * (np.log(_bets()) - np.log(open_U1))
    log_UQ += (num - wins_U1 - ties_U1) * (np.log1p(-_bets()) - np.log1p(-open_U1))
    if ties_U1.any():
        log_UQ += ties_U1 * np.log((_bets() / open_U1 + (1 - _bets()) / (1 - open_U1)) / 2)
    most_U = log_UQ.max(axis=1)
    return np.asarray(most_U + np.log(np.exp(log_UQ - most_U[:, None]).mean(axis=1)))


@cache
def _bets() -> Floats:
    return np.asarray(np.sin(np.pi * (np.arange(_NUM_BETS) + 0.5) / (2 * _NUM_BETS)) ** 2)

"""Performance profiles and runtime distributions over many problems, with bootstrap bands.

Legend: S solvers, I instances (problem, seed, start, target), R runs, K targets, U seeds, B resamples, T points of a
curve, C numbers that are resampled together.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import LEVEL, SEED
from service.analysis.curves import Curves

Floats = NDArray[np.float64]

MAX_RATIO = 4.0
# 10², 10^1.8, …, 10⁻⁸: the precisions of COCO (Hansen et al., 2021).
PRECISIONS = 10.0 ** np.linspace(2, -8, 51)
# Precisions from 10⁰ on are those of the start; the next one is 10^−0.2.
BELOW_START = 0.9
# A band is computed at every point of a curve, and needs fewer resamples than a single interval.
NUM_BAND_RESAMPLES = 2_000
# Weights of resampled seeds in memory at once: 8 MB.
MAX_WEIGHTS = 1_000_000


def performance_ratios(cost_SI: Floats) -> Floats:
    """Divide every cost by the smallest one of its instance (Dolan and Moré, Benchmarking Optimization Software, 2002).

    Infinite for a solver that fails. Costs of zero count as equally best.
    """
    best_I = cost_SI.min(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_SI = np.where(cost_SI == best_I, 1.0, cost_SI / best_I)
    return np.where(np.isfinite(cost_SI), ratio_SI, np.inf)


def profile_score(ratio_SI: Floats, weight_I: Floats) -> Floats:
    """Give the mean of the performance profile over ratios from 1 to 4: mean (4 − min(r, 4)) / 3, [S].

    This is the closed form of ∫₁⁴ ρ(r) dr / 3, because an instance with ratio r adds to the profile from r on.
    """
    return np.asarray(((MAX_RATIO - np.minimum(ratio_SI, MAX_RATIO)) / (MAX_RATIO - 1)) @ weight_I)


def shares_within(values_I: Floats, points_T: Floats, weight_I: Floats) -> Floats:
    """Give the weighted share of instances whose value is at most each point, [T]."""
    order = np.argsort(values_I, kind="stable")
    reached = np.searchsorted(values_I[order], points_T, side="right")
    return np.asarray(np.append(0.0, np.cumsum(weight_I[order]))[reached])


def precision_losses(start_R: Floats, least: float) -> Floats:
    """Give the losses of 51 precisions, [R, K]: least + p·(loss at the start − least).

    They are relative to the gap at the start, so that problems of different scales can be combined. The precisions
    from 10² to 10⁰, which the start has, are infinite losses; they are kept because COCO has them.
    """
    losses_RK = least + PRECISIONS * (start_R - least)[:, None]
    return np.where(PRECISIONS < BELOW_START, losses_RK, np.inf)


def epochs_to_losses(curves: Curves, goal_RK: Floats) -> Floats:
    """Give the epoch at which each run first has each of its K losses or less, [R, K]; infinite for a miss."""
    found_RK = np.full(goal_RK.shape, np.inf)
    loss_P = np.where(np.isnan(curves.loss_P), np.inf, curves.loss_P)
    for run, (first, last) in enumerate(zip(curves.first_R.tolist(), curves.last_R.tolist(), strict=True)):
        lowest = np.minimum.accumulate(loss_P[first : last + 1])
        hit_K = np.searchsorted(-lowest, -goal_RK[run])
        found_RK[run] = np.append(curves.epoch_P[first : last + 1], np.inf)[hit_K]
    return found_RK


def resampled_means(problems: Sequence[Floats]) -> Floats:
    """Give means of C numbers over problems, of resamples by problem and, within each, by seed, [B, C].

    Every problem has the same weight, and so has every seed within its problem. With a single problem only its seeds
    are resampled.

    Args:
        problems: For each problem the numbers of its seeds, [seeds, C].
    """
    rng = np.random.default_rng(SEED)
    num = len(problems)
    times_BP = rng.multinomial(num, np.full(num, 1 / num), NUM_BAND_RESAMPLES)
    mean_BC = np.zeros((NUM_BAND_RESAMPLES, problems[0].shape[1]))
    for times_B, numbers_UC in zip(times_BP.T, problems, strict=True):
        seeds = len(numbers_UC)
        step = max(1, MAX_WEIGHTS // seeds)
        for first in range(0, NUM_BAND_RESAMPLES, step):
            part = slice(first, first + step)
            # A problem that is drawn twice draws its seeds twice.
            drawn_BU = rng.multinomial(times_B[part] * seeds, np.full(seeds, 1 / seeds))
            mean_BC[part] += drawn_BU @ numbers_UC / (seeds * num)
    return mean_BC


def band_of(mean_BC: Floats) -> tuple[Floats, Floats]:
    """Give pointwise percentiles of resampled means, [C] each."""
    at = int((1 - LEVEL) / 2 * len(mean_BC))
    parted_BC = np.partition(mean_BC, [at, len(mean_BC) - at - 1], axis=0)
    return parted_BC[at], parted_BC[-at - 1]

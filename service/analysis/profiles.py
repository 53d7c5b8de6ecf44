"""Performance profiles and runtime distributions over many problems, with bootstrap bands.

Legend: S solvers, I instances (problem, seed, start), K targets, B resamples, T points of a curve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.analysis.bootstrap import LEVEL, SEED
from service.analysis.curves import Curves

Floats = NDArray[np.float64]

MAX_RATIO = 4.0
# 10², 10^1.8, …, 10⁻⁸: the precisions of COCO (Hansen et al., 2021).
PRECISIONS = 10.0 ** np.linspace(2, -8, 51)
# A band is computed at every point of a curve, and needs fewer resamples than a single interval.
NUM_BAND_RESAMPLES = 2_000


@dataclass(frozen=True)
class Band:
    """A curve of shares with its pointwise 95 % bootstrap band, [T] each."""

    share_T: Floats
    low_T: Floats
    high_T: Floats


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


def shares_at(values_SI: Floats, points_T: Floats, weight_I: Floats) -> Floats:
    """Give the weighted share of instances whose value is at most each point, [S, T]."""
    return np.stack([(values_SI <= point) @ weight_I for point in points_T.tolist()], axis=1)


def precision_runtimes(curves: Curves, start_R: Floats, least: float) -> Floats:
    """Give the epoch at which each run first reaches each of 51 precisions, [R, K]; infinite for a miss.

    Precision p means loss ≤ least + p·(loss at the start − least). It is relative to the gap at the start, so that
    problems of different scales can be combined. The start itself has the precisions from 10² to 10⁰, which are kept
    because COCO has them.
    """
    gap_R = start_R - least
    length_R = np.diff(curves.first_R, append=len(curves.epoch_P))
    num = len(curves.epoch_P)
    epoch = np.append(curves.epoch_P, 0).astype(np.float64)
    position_P = np.arange(num)
    found = np.full((len(start_R), len(PRECISIONS)), np.inf)
    for at, precision in enumerate(PRECISIONS.tolist()):
        goal_P = np.repeat(least + precision * gap_R, length_R)
        hit_R = np.minimum.reduceat(np.where(curves.loss_P <= goal_P, position_P, num), curves.first_R)
        found[:, at] = np.where(hit_R < num, epoch[np.minimum(hit_R, num)], np.inf)
        found[:, at] = np.where(hit_R <= curves.last_R, found[:, at], np.inf)
    return found


def resampled_weights(group_I: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Give weights of instances with equal sums per group (job): of the sample [I] and of resamples by group [B, I]."""
    rng = np.random.default_rng(SEED)
    groups = np.unique(group_I)
    weight_I = np.zeros(len(group_I))
    weight_BI = np.zeros((NUM_BAND_RESAMPLES, len(group_I)))
    for group in groups.tolist():
        members = np.flatnonzero(group_I == group)
        weight_I[members] = 1 / len(members) / len(groups)
        drawn = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), NUM_BAND_RESAMPLES)
        weight_BI[:, members] = drawn / len(members) / len(groups)
    return weight_I, weight_BI


def banded(indicator_IT: Floats, weight_I: Floats, weight_BI: Floats) -> Band:
    """Compute weighted means of indicators, with pointwise percentiles of the resampled means."""
    resampled_BT = np.sort(weight_BI @ indicator_IT, axis=0)
    at = int((1 - LEVEL) / 2 * len(resampled_BT))
    return Band(weight_I @ indicator_IT, resampled_BT[at], resampled_BT[-at - 1])

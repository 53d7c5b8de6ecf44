"""Speed-up to a target when some runs miss it: ratio of expected running times, and the geometric capped ratio.

Legend: N seeds, T starts of each seed. Times are epochs; a miss is infinite and costs the whole budget.
"""

from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.estimate import Estimate
from service.analysis.simultaneous import MIN_SEEDS, ROUNDING
from service.analysis.special import stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SpeedUp:
    """Speed-up of one label over another: epochs of the other divided by epochs of this one.

    Attributes:
        ratio: Ratio of expected running times; None if one of them never reaches the target, or no seed counts.
        capped_ratio: Geometric mean of the ratios of epochs, a miss counted as the whole budget.
        at_least: Bound of the ratio if only the other one never reaches the target.
        at_most: Bound of the ratio if only this one never reaches it.
        seeds: Number of seeds on which these rest.
        wins: Runs in which this one is sooner; a miss is later than any epoch.
        losses: Runs in which the other one is sooner.
        ties: Runs in which both need the same number of epochs.
        both_missed: Runs in which neither reaches the target.
        at_start: Runs that begin at the target; they count for nothing.
    """

    ratio: Estimate | None
    capped_ratio: Estimate | None
    at_least: float | None
    at_most: float | None
    seeds: int
    wins: int
    losses: int
    ties: int
    both_missed: int
    at_start: int

    def as_dict(self) -> dict[str, Any]:
        """Give all numbers; faster than dataclasses.asdict, which copies each."""
        return {name: vars(value) if isinstance(value, Estimate) else value for name, value in vars(self).items()}


def speed_up(this_NT: Floats, other_NT: Floats, budget: float, alpha: float = 0.05) -> SpeedUp:
    """Compare the epochs that two labels need to a target.

    The expected running time is Σ min(T, budget) / number of hits (Hansen et al., COCO, 2021). The interval of its
    ratio is log R ± t(N − 1)·sd(I)/√N with the influence of each seed I = c_A/c̄_A − h_A/h̄_A − c_B/c̄_B + h_B/h̄_B
    (delta method), c and h the mean cost and the share of hits of a seed.

    Args:
        this_NT: Epochs of this label by seed and start; infinite for a miss.
        other_NT: Those of the other label from the same seeds and starts.
        budget: Epochs of a run.
        alpha: Probability that an interval may miss; divided by the number of pairs where several are read at once.
    """
    at_start_NT = (this_NT == 0) & (other_NT == 0)
    counts_N = ~at_start_NT.all(axis=1)
    left_NT = ~at_start_NT[counts_N]
    this_NT, other_NT = this_NT[counts_N], other_NT[counts_N]
    num = int(counts_N.sum())
    cost = [_mean(np.minimum(times, budget), left_NT) for times in (this_NT, other_NT)]
    hits = [_mean(np.isfinite(times).astype(float), left_NT) for times in (this_NT, other_NT)]
    ratio = capped = at_least = at_most = None
    if num:
        with np.errstate(divide="ignore"):
            logs_N = _mean(np.log(np.minimum(other_NT, budget) / np.minimum(this_NT, budget)), left_NT)
        capped = _exponential(float(logs_N.mean()), logs_N, alpha)
        expected = [float(c.mean() / h.mean()) if h.any() else None for c, h in zip(cost, hits, strict=True)]
        mine, theirs = expected
        if mine is not None and theirs is not None:
            influence_N = (cost[1] / cost[1].mean() - hits[1] / hits[1].mean()) - (
                cost[0] / cost[0].mean() - hits[0] / hits[0].mean()
            )
            ratio = _exponential(float(np.log(theirs / mine)), influence_N, alpha)
        elif mine is not None:
            at_least = budget / mine
        elif theirs is not None:
            at_most = theirs / budget
    this_hit, other_hit = np.isfinite(this_NT) & left_NT, np.isfinite(other_NT) & left_NT
    return SpeedUp(
        ratio=ratio,
        capped_ratio=capped,
        at_least=at_least,
        at_most=at_most,
        seeds=num,
        wins=int(((this_NT < other_NT) & left_NT).sum()),
        losses=int(((this_NT > other_NT) & left_NT).sum()),
        ties=int(((this_NT == other_NT) & this_hit & other_hit).sum()),
        both_missed=int((~this_hit & ~other_hit & left_NT).sum()),
        at_start=int(at_start_NT.sum()),
    )


def expected_epochs(times_NT: Floats, budget: float) -> float:
    """Give the expected running time Σ min(T, budget) / number of hits; infinite without a hit, NaN without a run."""
    hits = int(np.isfinite(times_NT).sum())
    if not times_NT.size:
        return float("nan")
    return float(np.minimum(times_NT, budget).sum() / hits) if hits else float("inf")


def _mean(values_NT: Floats, counted_NT: NDArray[np.bool_]) -> Floats:
    """Average over the starts that count, [N]."""
    return np.asarray(np.where(counted_NT, values_NT, 0.0).sum(axis=1) / counted_NT.sum(axis=1))


def _exponential(middle: float, spread_N: Floats, alpha: float) -> Estimate:
    """Give exp(middle ± t·sd/√N); no interval with few seeds or without spread."""
    num = len(spread_N)
    deviation = float(spread_N.std(ddof=1)) if num > 1 else 0.0
    if num < MIN_SEEDS or deviation <= ROUNDING * float(np.abs(spread_N).max(initial=0.0)):
        return Estimate(exp(middle), np.nan, np.nan)
    half = -float(stdtrit(num - 1, alpha / 2)) * deviation / sqrt(num)
    return Estimate(exp(middle), exp(middle - half), exp(middle + half))

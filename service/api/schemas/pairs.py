"""Models of answers on pairs of labels: differences, speed-ups and ranks, with intervals that hold at once."""

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import Bound, EstimateAnswer


class SpeedUpAnswer(Answer):
    """Speed-up over the baseline: epochs of the baseline to the target, divided by epochs of this label."""

    ratio: EstimateAnswer | None
    """Ratio of expected running times Σ min(T, budget) / hits; null where one of them never reaches the target."""
    capped_ratio: EstimateAnswer | None
    """Geometric mean of the ratios of epochs, a miss counted as all epochs of the run."""
    at_least: Number | None
    """Lower bound of the ratio where the baseline never reaches the target."""
    at_most: Number | None
    """Upper bound of the ratio where this label never reaches the target."""
    seeds: int
    """Number of seeds on which the ratios rest."""
    wins: int
    """Number of runs in which this label is sooner than the baseline; a miss is later than any epoch."""
    losses: int
    """Number of runs in which the baseline is sooner."""
    ties: int
    """Number of runs in which both need the same number of epochs."""
    both_missed: int
    """Number of runs in which both miss the target."""
    at_start: int
    """Number of runs that begin at the target; they count for nothing."""


class StartsAnswer(Answer):
    """A difference over the starts: from how many of them each label is better, averaged over seeds."""

    better: int
    """Number of starts from which the first label is better."""
    worse: int
    """Number of starts from which it is worse."""
    equal: int
    """Number of starts from which both are equal."""
    spread: Bound
    """Standard deviation of the difference over the starts."""


class DifferenceAnswer(Answer):
    """Paired difference of two labels by the criterion, with intervals that hold for all pairs at once."""

    seeds: int
    """Number of seeds."""
    difference: Bound
    """Mean over seeds of the first less the second; of natural logarithms on a logarithmic scale."""
    low: Bound
    """Lower end of its interval; null with fewer than six seeds, without spread, or while runs are missing."""
    high: Bound
    """Upper end of its interval."""
    p: Bound
    """p of Student's paired test, adjusted for all pairs (Shaffer 1986); null without an interval. Of a job that runs
    until it is sure: M/E, which is valid at every look."""
    differs: bool
    """Whether the two differ with the confidence of the comparison; `best` and `ranks` follow from it."""
    seeds_needed: int | None
    """Further judging seeds with which a difference of this size would be found with a probability of 80 %; 0 if the
    two differ, null without an interval or beyond a million seeds."""
    ratio: Bound
    """exp(difference), on a logarithmic scale only: the ratio of geometric means."""
    ratio_low: Bound
    """Lower end of its interval."""
    ratio_high: Bound
    """Upper end of its interval."""
    median_difference: Bound
    """Median over seeds of the difference."""
    probability_better: EstimateAnswer
    """Probability that the first is better on the same new seed, ties half, with a simultaneous exact interval; of a
    job that runs until it is sure, with one by betting."""
    over_starts: StartsAnswer | None
    """The difference by start; null with a single start."""


class PairAnswer(DifferenceAnswer):
    """Paired difference a − b."""

    a: str
    """The first label."""
    b: str
    """The second label."""


class RankAnswer(Answer):
    """Simultaneous confidence interval of a rank."""

    label: str
    """The label."""
    low: int
    """Best possible rank: 1 + the number of labels that are significantly better."""
    high: int
    """Worst possible rank: the number of labels − those that are significantly worse."""
    value: Bound
    """Mean of the criterion over the judging seeds; a geometric mean above the least value on a logarithmic scale."""


class AgainstBaseline(DifferenceAnswer):
    """Comparison of a label with the baseline: this − baseline."""

    speed_up: SpeedUpAnswer
    """Speed-up by the first epoch at the target."""
    speed_up_settled: SpeedUpAnswer
    """Speed-up by the epoch from which on the target is kept."""

"""Models of answers of a comparison across jobs."""

from typing import Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.comparison import Caution
from service.api.schemas.estimates import Bound, EstimateAnswer


class CurveAnswer(Answer):
    """A curve of shares from 0 to 1 and its pointwise 95 % bootstrap band."""

    share: list[float]
    """The share at each value of the axis."""
    low: list[float] | None
    """Lower end of the band; null for one problem with fewer than six seeds."""
    high: list[float] | None
    """Upper end of the band."""


class GoalsAnswer(Answer):
    """The losses to reach on a problem, which no label has influenced."""

    loss: Number | None
    """The loss, if there is one only."""
    source: Literal["query", "spec", "published", "precisions", "recorded"]
    """Source: the query; the specs; losses published for the problem; shares of the gap to the least loss, known or
    recorded."""
    num: int
    """Number of losses. Those that a run has at its start count for nothing."""
    reason: str
    """What they are, as a sentence."""


class ProblemLabel(Answer):
    """One label on one problem."""

    label: str
    """The label."""
    epochs: Number
    """Geometric mean of the epochs to the targets, a miss counted as all epochs."""
    solved: float
    """Share of the targets that are reached."""


class AcrossProblem(Answer):
    """A problem: jobs with the same problem, epochs, batches and data type are one."""

    name: str
    """Name or kind of the problem."""
    jobs: list[str]
    """The jobs that have it."""
    epochs: int
    """Epochs of a run."""
    seeds: int
    """Number of judging seeds; one that several jobs have counts once."""
    starts: int
    """Number of starts of each seed."""
    target: GoalsAnswer
    """The losses to reach."""
    least_loss: Number
    """The loss from which precisions are measured."""
    least_loss_source: Literal["minimum", "smallest_recorded", "largest_recorded"]
    """Source of `least_loss`: a known bound, or the best loss that any compared label recorded."""
    fewest: list[str]
    """The label that needs the fewest epochs, or several that need equally many."""
    labels: list[ProblemLabel]
    """All labels."""


class AcrossJob(Answer):
    """One of the jobs compared."""

    job_id: str
    """The job."""
    name: str
    """The job's name."""
    status: str
    """The job's status when it was read."""
    problem: int | None
    """Position of its problem in `problems`; null if every run begins at its target."""
    same_spec_as: str | None
    """Another of these jobs with the same spec, which counts in its place."""
    choosing_seeds: int
    """Number of seeds that chose the settings; 0 if no label has several."""
    judging_seeds: int
    """Number of distinct seeds that judge."""
    counted_seeds: int
    """Number of these that no earlier job with the same problem has."""
    instances: int
    """Number of pairs of seed and start that count."""
    settings: list[str]
    """The setting that stands for each label."""


class AcrossRank(Answer):
    """Simultaneous confidence interval of a rank over problems."""

    label: str
    """The label."""
    low: int
    """Best possible rank: 1 + the number of labels that are significantly better."""
    high: int
    """Worst possible rank: the number of labels − those that are significantly worse."""
    value: Bound
    """Geometric mean over problems of the share of its epochs that a run needs; a miss counts as 1."""


class AcrossPair(Answer):
    """Paired difference a − b over problems, with intervals that hold for all pairs at once."""

    a: str
    """The first label."""
    b: str
    """The second label."""
    problems: int
    """Number of problems."""
    difference: Bound
    """Mean over problems of a − b, of logarithms of epochs."""
    low: Bound
    """Lower end of its interval; null with fewer than six problems, without spread, or while runs are missing."""
    high: Bound
    """Upper end of its interval."""
    p: Bound
    """p of Student's paired test, adjusted for all pairs (Shaffer 1986); null without an interval."""
    differs: bool
    """Whether the labels differ significantly: `p` is at most 1 − `confidence`."""
    ratio: Bound
    """exp(difference): the ratio of the epochs of a to those of b."""
    ratio_low: Bound
    """Lower end of its interval."""
    ratio_high: Bound
    """Upper end of its interval."""
    median_difference: Bound
    """Median over problems of the difference."""
    probability_better: EstimateAnswer
    """Probability that a needs fewer epochs on a new problem, ties half, with a simultaneous exact interval."""


class AcrossLabel(Answer):
    """One label over all problems; each problem has the same weight."""

    label: str
    """The label, which occurs in all jobs."""
    score: EstimateAnswer
    """Mean of the performance profile over ratios 1 to 4: mean (4 − min(r, 4))/3."""
    solved: float
    """Share of instances in which the target is reached; an instance is a seed, a start and a target."""
    profile: CurveAnswer
    """Share of instances with cost ≤ ratio × the smallest cost of any label (Dolan and Moré 2002)."""
    runtimes: CurveAnswer
    """Share of the ladder's targets reached within each budget (COCO's runtime ECDF)."""


class AcrossAnswer(Answer):
    """Labels compared over several jobs. Only `verdict`, `best`, `ranks` and `pairs` claim that one is better."""

    partial: bool
    """True while runs of the labels have not ended: nothing is claimed."""
    verdict: str
    """The result in one sentence."""
    warnings: list[Caution]
    """Warnings about the reliability of the answer, those of single jobs with their names."""
    confidence: float
    """Probability that all intervals of pairs and ranks hold at once."""
    replicates: int
    """Number of problems."""
    best: list[str]
    """The labels that cannot be told from the best one, best mean first."""
    ranks: list[AcrossRank]
    """Confidence intervals of the ranks, best mean first."""
    pairs: list[AcrossPair]
    """All pairs of labels."""
    problems: list[AcrossProblem]
    """The problems, which are the replicates."""
    jobs: list[AcrossJob]
    """The jobs, in an order that does not depend on the request."""
    profile_ratios: list[float]
    """Ratios of cost at which `profile` is given."""
    budgets: list[float]
    """Epochs at which `runtimes` is given."""
    precisions: list[float]
    """51 shares of the gap between the loss at the start and the least loss: the ladder of a problem without published
    targets. Those of 1 and more are met by the start and count for nothing."""
    labels: list[AcrossLabel]
    """The labels that all jobs share, sorted."""

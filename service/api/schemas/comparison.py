"""What a comparison answers, described field by field."""

from typing import Any, Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import EstimateAnswer, SummaryAnswer
from service.api.schemas.tuned import TunedAnswer


class SpeedUpAnswer(Answer):
    """How many times sooner the target is reached than by the baseline: epochs of the baseline / epochs of this one."""

    ratio: EstimateAnswer | None
    """Geometric mean over the pairs in which both reach the target after epoch 0; null if there is none."""
    median_ratio: Number | None
    """Median over all pairs in which one does at least; a miss counts as infinitely many epochs."""
    both: int
    """Pairs in which both reach the target."""
    only_this: int
    """Pairs in which the baseline misses it."""
    only_baseline: int
    """Pairs in which this one misses it."""
    neither: int
    """Pairs in which both miss it."""


class AgainstBaseline(Answer):
    """This setting against the baseline, paired by seed and start."""

    pairs: int
    """Pairs of runs of both."""
    speed_up: SpeedUpAnswer | None
    """By the epochs at which the target is reached first; null without a target."""
    speed_up_settled: SpeedUpAnswer | None
    """By the epochs from which on the loss stays at or below the target."""
    final_loss_difference: SummaryAnswer | None
    """Final loss minus the baseline's, pair by pair: below 0 this one ends lower."""
    probability_of_improvement: EstimateAnswer | None
    """That a run of this one ends lower than one of the baseline, ties by half (Agarwal et al. 2021)."""
    wilcoxon_p: float
    """Two-sided p of Wilcoxon's signed-rank test of the differences."""
    wilcoxon_p_holm: float
    """The same, corrected by Holm's method for all settings that are tested here."""


class PathsAnswer(Answer):
    """How the runs move through the plane, over the recorded points."""

    runs: int
    """Runs looked at."""
    sign_changes: list[float]
    """Per coordinate the median number of times it passes the minimum's (without one: the last point's)."""
    overshoot: list[float]
    """Per coordinate the median of how far it gets past the minimum's, seen from the start."""
    turning_angle: SummaryAnswer | None
    """Mean angle between consecutive steps, in degrees: 0 straight on, 180 back."""
    length: SummaryAnswer | None
    """Length of the path."""
    detour: SummaryAnswer | None
    """Length over the straight distance from start to end."""
    ended_in: dict[str, int]
    """Runs that ended in each known minimum, by its position in the catalogue's list, or in `none`."""


class SettingAnswer(Answer):
    """One setting of an optimizer over its seeds and starts."""

    label: str
    """The optimizer's label, and the hyper-parameters that vary."""
    optimizer: dict[str, Any]
    """Every hyper-parameter resolved."""
    rank: int | None
    """1 is the smallest final loss; settings that the intervals cannot tell apart share a rank; null without rows."""
    is_baseline: bool
    """Whether the others are compared with this one."""
    runs: int
    """Runs with rows; where seeds change nothing, those of the first seed."""
    diverged: int
    """Of these, runs that diverged; their losses count as infinite."""
    final_loss: SummaryAnswer | None
    """Loss at the last epoch; infinite for runs that diverged."""
    best_loss: SummaryAnswer | None
    """Smallest loss that was recorded."""
    loss_area: SummaryAnswer | None
    """Mean loss over training: area under the loss curve, divided by the epochs."""
    test_loss: SummaryAnswer | None
    """At the last epoch; infinite for runs that diverged."""
    accuracy: SummaryAnswer | None
    """At the last epoch, over the training data; 0 where a run that diverged has none."""
    test_accuracy: SummaryAnswer | None
    """At the last epoch, over the test data."""
    epochs_to_target: SummaryAnswer | None
    """First recorded epoch at or below the target; infinite where it is missed."""
    epochs_to_settle: SummaryAnswer | None
    """First recorded epoch from which on the loss stays there."""
    updates_per_epoch: int
    """Parameter updates in an epoch."""
    updates_to_target: SummaryAnswer | None
    """epochs_to_target in updates."""
    share_reached: float | None
    """Share of runs that reach the target."""
    share_settled: float | None
    """Share of runs that are at or below it to the end."""
    against_baseline: AgainstBaseline | None
    """Null for the baseline itself."""
    paths: PathsAnswer | None
    """For problems of at most two dimensions."""


class LabelAnswer(Answer):
    """One label: an entry of the spec's optimizers."""

    label: str
    """The label."""
    kind: str
    """The kind of optimizer."""
    num_settings: int
    """Settings that its lists and ranges expand into."""
    represented_by: Literal["each_setting", "best_median_final_loss"]
    """Which of them are shown: each, or where a job has more than 20 in all, the best one (and the baseline)."""
    settings: list[SettingAnswer]
    """The settings that are shown."""


class TargetAnswer(Answer):
    """The loss to reach."""

    loss: float | None
    """Null where there is no finite one."""
    source: Literal["query", "spec", "median_final_loss_of_baseline"]
    """Where the target is from: the query, the spec, or the median final loss of the baseline."""


class IntervalsAnswer(Answer):
    """How intervals are made."""

    level: float
    """Coverage, 0.95."""
    resamples: int
    """Bootstrap resamples; with more than 200 observations the normal interval that they tend to."""
    seed: int
    """Of the resampling: the same rows always give the same intervals."""


class Caution(Answer):
    """Something to know before trusting the answer."""

    code: str
    """A name for programs, which does not change."""
    sentence: str
    """What to know, in words."""


class ComparisonAnswer(Answer):
    """Who won, by how much, and how sure that is."""

    job_id: str
    """The job."""
    name: str
    """The job's name."""
    status: str
    """The job's status when it was read."""
    partial: bool
    """True while runs have not trained to their end: this is what is there."""
    verdict: str
    """The answer in one sentence."""
    warnings: list[Caution]
    """What to know before trusting the answer."""
    seeds: int
    """Seeds of the job."""
    starts: int
    """Starts of the job."""
    pairs: int
    """Pairs of seed and start that count as separate observations."""
    baseline: str
    """The setting that all others are compared with."""
    target: TargetAnswer
    """The loss that counts as reached."""
    intervals: IntervalsAnswer
    """How its intervals are made."""
    labels: list[LabelAnswer]
    """In the order of the spec."""
    tuned: TunedAnswer | None
    """With tuned=true."""
    theory: dict[str, Any] | None
    """On landscapes: limits, predicted and measured rates of each setting at the minimum reached; null for networks."""

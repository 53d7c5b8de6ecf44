"""Models of answers of the comparison of a job."""

from typing import Any, Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import EstimateAnswer, SummaryAnswer
from service.api.schemas.tuned import TunedAnswer


class SpeedUpAnswer(Answer):
    """Speed-up over the baseline: epochs of the baseline to the target, divided by epochs of this setting."""

    ratio: EstimateAnswer | None
    """Geometric mean over the pairs in which both reach the target after epoch 0; null without such a pair."""
    median_ratio: Number | None
    """Median over all pairs in which at least one reaches it; a miss counts as infinitely many epochs."""
    both: int
    """Number of pairs in which both reach the target."""
    only_this: int
    """Number of pairs in which only this setting reaches it."""
    only_baseline: int
    """Number of pairs in which only the baseline reaches it."""
    neither: int
    """Number of pairs in which neither reaches it."""


class AgainstBaseline(Answer):
    """Comparison of this setting with the baseline, paired by seed and start."""

    pairs: int
    """Number of pairs of runs."""
    speed_up: SpeedUpAnswer | None
    """Speed-up by the first epoch at or below the target; null without a target."""
    speed_up_settled: SpeedUpAnswer | None
    """Speed-up by the epoch from which on the loss stays at or below the target."""
    final_loss_difference: SummaryAnswer | None
    """Final loss minus that of the baseline, pair by pair; below 0 this setting ends lower."""
    probability_of_improvement: EstimateAnswer | None
    """Probability that a run of it ends lower than one of the baseline; ties count half (Agarwal et al. 2021)."""
    wilcoxon_p: float
    """Two-sided p of Wilcoxon's signed-rank test of the differences."""
    wilcoxon_p_holm: float
    """`wilcoxon_p` corrected by Holm's method for all settings tested in this comparison."""


class PathsAnswer(Answer):
    """Shape of the paths of the runs, over the recorded points."""

    runs: int
    """Number of runs examined."""
    sign_changes: list[float]
    """Per coordinate, the median number of crossings of the minimum (without one: of the last point)."""
    overshoot: list[float]
    """Per coordinate, the median of the largest distance beyond the minimum, seen from the start."""
    turning_angle: SummaryAnswer | None
    """Mean angle between consecutive steps, in degrees: 0 straight on, 180 back."""
    length: SummaryAnswer | None
    """Length of the path."""
    detour: SummaryAnswer | None
    """Length divided by the straight distance from start to end."""
    ended_in: dict[str, int]
    """Number of runs that ended in each known minimum, by its position in the catalogue's list, or in `none`."""


class SettingAnswer(Answer):
    """One setting of an optimizer over its seeds and starts."""

    label: str
    """The optimizer's label, and the hyper-parameters that vary."""
    optimizer: dict[str, Any]
    """The kind and every hyper-parameter, defaults included."""
    rank: int | None
    """1 is the smallest final loss; settings that the intervals do not distinguish share a rank; null without rows."""
    is_baseline: bool
    """Whether this is the baseline of the comparison."""
    runs: int
    """Number of runs with rows; where seeds change nothing, only those of the first seed."""
    diverged: int
    """Number of these runs that diverged; their losses count as infinite."""
    final_loss: SummaryAnswer | None
    """Loss at the last epoch; infinite for runs that diverged."""
    best_loss: SummaryAnswer | None
    """Smallest recorded loss."""
    loss_area: SummaryAnswer | None
    """Mean loss over training: area under the loss curve, divided by the epochs."""
    test_loss: SummaryAnswer | None
    """Test loss at the last epoch; infinite for runs that diverged."""
    accuracy: SummaryAnswer | None
    """Training accuracy at the last epoch; 0 for a diverged run without a value."""
    test_accuracy: SummaryAnswer | None
    """Test accuracy at the last epoch."""
    epochs_to_target: SummaryAnswer | None
    """First recorded epoch at or below the target; infinite for a miss."""
    epochs_to_settle: SummaryAnswer | None
    """First recorded epoch from which on the loss stays at or below the target."""
    updates_per_epoch: int
    """Parameter updates per epoch."""
    updates_to_target: SummaryAnswer | None
    """`epochs_to_target` in updates."""
    share_reached: float | None
    """Share of runs that reach the target."""
    share_settled: float | None
    """Share of runs that stay at or below the target to the end."""
    against_baseline: AgainstBaseline | None
    """Comparison with the baseline; null for the baseline itself."""
    paths: PathsAnswer | None
    """Shape of the paths; only for problems of at most two dimensions."""


class LabelAnswer(Answer):
    """One label: an entry of `optimizers` in the spec."""

    label: str
    """The label."""
    kind: str
    """The kind of optimizer."""
    num_settings: int
    """Number of settings to which its lists and ranges expand."""
    represented_by: Literal["each_setting", "best_median_final_loss"]
    """Which settings are shown: all, or, if the job has more than 20, the best one (and the baseline)."""
    settings: list[SettingAnswer]
    """The settings that are shown."""


class TargetAnswer(Answer):
    """The loss to reach, and its source."""

    loss: float | None
    """The loss; null if there is no finite one."""
    source: Literal["query", "spec", "median_final_loss_of_baseline"]
    """Source of the target: the query, the spec, or the median final loss of the baseline."""


class IntervalsAnswer(Answer):
    """Level, number of resamples and seed of the intervals."""

    level: float
    """Coverage, 0.95."""
    resamples: int
    """Number of bootstrap resamples; above 200 observations the normal interval is used instead."""
    seed: int
    """Seed of the resampling: the same rows always give the same intervals."""


class Caution(Answer):
    """A warning about the reliability of the answer."""

    code: str
    """A constant name, for programs."""
    sentence: str
    """The warning, as a sentence."""


class ComparisonAnswer(Answer):
    """The comparison of the settings of a job."""

    job_id: str
    """The job."""
    name: str
    """The job's name."""
    status: str
    """The job's status when it was read."""
    partial: bool
    """True while runs have not ended: the answer covers the rows stored so far."""
    verdict: str
    """The result in one sentence."""
    warnings: list[Caution]
    """Warnings about the reliability of the answer."""
    seeds: int
    """Number of seeds of the job."""
    starts: int
    """Number of starts of the job."""
    pairs: int
    """Number of pairs of seed and start that count as separate observations."""
    baseline: str
    """The setting with which all others are compared."""
    target: TargetAnswer
    """The loss to reach."""
    intervals: IntervalsAnswer
    """Method of the intervals."""
    labels: list[LabelAnswer]
    """The labels, in the order of the spec."""
    tuned: TunedAnswer | None
    """Comparison of tuned settings; only with `tuned=true`."""
    theory: dict[str, Any] | None
    """On landscapes: limits, predicted and measured rates of each setting at the minimum reached; else null."""

"""Models of answers of the comparison of a job."""

from typing import Any, Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.estimates import SummaryAnswer
from service.api.schemas.jobs import DecisionAnswer
from service.api.schemas.pairs import AgainstBaseline, PairAnswer, RankAnswer
from service.api.schemas.tuning import ChosenAnswer, TuningAnswer
from service.spec.criteria import Criterion, Scale


class CriterionAnswer(Answer):
    """The quantity by which labels are compared."""

    name: Criterion
    """Its name."""
    scale: Scale
    """`log`: differences are of natural logarithms; `linear`: of values. Fixed by the problem."""
    declared: bool
    """Whether the spec declares it, so that it was chosen before the results."""
    larger_is_better: bool
    """Whether a larger value is better."""
    least: Number | None
    """Known least loss, from which values are measured on a logarithmic scale; else null."""
    untrained: Number | None
    """Median at epoch 0; a worse value, and a diverged run, count as this. For epochs the length of a run."""


class OtherCriterion(Answer):
    """The same labels judged by another criterion."""

    name: Criterion
    """Its name."""
    scale: Scale
    """Its scale."""
    best: list[str]
    """The labels that cannot be told from the best one."""
    verdict: str
    """Its result in one sentence."""


class TargetLabel(Answer):
    """How one label reaches a loss."""

    label: str
    """The label."""
    share_reached: Number | None
    """Share of runs that reach it."""
    expected_epochs: Number | None
    """Expected running time: epochs of all runs divided by hits; infinite without a hit."""


class TargetStep(Answer):
    """One loss of the picture over all targets."""

    loss: Number
    """The loss."""
    labels: list[TargetLabel]
    """All labels."""


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
    is_baseline: bool
    """Whether this is the baseline of the comparison."""
    runs: int
    """Number of judged runs with rows; seeds with equal histories count once."""
    diverged: int
    """Number of these runs that diverged; their losses count as infinite."""
    final_loss: SummaryAnswer | None
    """Loss at the last epoch; infinite for runs that diverged."""
    best_loss: SummaryAnswer | None
    """Smallest recorded loss."""
    loss_area: SummaryAnswer | None
    """Mean loss over training: area under the loss curve, divided by the epochs."""
    validation_loss: SummaryAnswer | None
    """Validation loss at the last epoch, by which settings are chosen; null where the problem has none."""
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
    expected_epochs: Number | None
    """Expected running time to the target: epochs of all runs, misses with all their epochs, divided by hits."""
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
    chosen: ChosenAnswer | None
    """The setting that stands for the label; null where each of its settings is compared."""
    tuning: TuningAnswer | None
    """How it was chosen; null where nothing was chosen."""
    settings: list[SettingAnswer]
    """The settings that are compared: the chosen one, or each."""


class TargetAnswer(Answer):
    """The loss to reach, and its source."""

    loss: float | None
    """The loss; null if there is no finite one."""
    source: Literal["query", "spec", "all_labels", "none"]
    """Source of the target: the query, the spec, or a choice that counts all labels alike."""
    reason: str
    """Why this loss, as a sentence."""


class IntervalsAnswer(Answer):
    """Method of the intervals of single labels' summaries."""

    level: float
    """Coverage of each of them, 0.95."""
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
    """The comparison of the labels of a job."""

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
    decision: DecisionAnswer | None
    """The decision of the job at its last look; null without `decide` in its spec."""
    warnings: list[Caution]
    """Warnings about the reliability of the answer."""
    criterion: CriterionAnswer
    """What labels are compared by."""
    confidence: float
    """Probability that all intervals of pairs and ranks hold at once."""
    seeds: int
    """Number of seeds of the job."""
    starts: int
    """Number of starts of each seed, averaged within a seed."""
    replicates: int
    """Number of distinct seeds that judge: those with different histories, without those that chose settings."""
    tuned: bool
    """Whether one setting of each label was chosen by half of the seeds."""
    choosing_seeds: int
    """Number of seeds that chose; 0 without tuning."""
    best: list[str]
    """The labels that cannot be told from the best one, best mean first."""
    seeds_needed: int | None
    """Further judging seeds with which the label with the best mean would be found better than each other one, if the
    present differences hold; each with a probability of 80 %. 0 if it is, null where that cannot be said."""
    ranks: list[RankAnswer]
    """Confidence intervals of the ranks, best mean first."""
    pairs: list[PairAnswer]
    """All pairs of labels."""
    baseline: str
    """The label with which all others are compared in `labels`; nothing else depends on it."""
    target: TargetAnswer
    """The loss to reach."""
    targets: list[TargetStep]
    """Losses from easy to hard, with how each label reaches them."""
    intervals: IntervalsAnswer
    """Method of the intervals of single labels."""
    labels: list[LabelAnswer]
    """The labels, in the order of the spec."""
    other_criteria: list[OtherCriterion]
    """The same labels judged by the other criteria."""
    theory: dict[str, Any] | None
    """On landscapes and of linear models on data: limits, predicted and measured rates of each setting at the minimum;
    else null."""

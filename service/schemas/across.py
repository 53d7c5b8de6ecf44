"""What a comparison across jobs answers, described field by field."""

from typing import Literal

from service.schemas.answers import Answer, Number
from service.schemas.comparison import EstimateAnswer, TargetAnswer


class CurveAnswer(Answer):
    """A curve of shares from 0 to 1 and its pointwise 95 % bootstrap band."""

    share: list[float]
    low: list[float]
    high: list[float]


class AcrossJob(Answer):
    """One of the jobs compared."""

    job_id: str
    name: str
    status: str
    instances: int
    """Pairs of seed and start that are compared."""
    target: TargetAnswer
    least_loss: Number
    """What precisions refer to."""
    least_loss_source: Literal["minimum", "smallest_recorded"]
    settings: list[str]
    """The setting of each label that is compared: the best by median final loss."""


class AcrossLabel(Answer):
    """One label over all jobs, each job counting the same."""

    label: str
    score: EstimateAnswer
    """Mean of the performance profile over ratios 1 to 4: mean (4 − min(r, 4))/3."""
    solved: float
    """Share of instances in which the target is reached."""
    profile: CurveAnswer
    """Share of instances with cost ≤ ratio × the smallest cost of any label (Dolan and Moré 2002)."""
    runtimes: CurveAnswer
    """Share of instances and precisions reached within each budget (COCO's runtime ECDF)."""


class AcrossAnswer(Answer):
    """Labels compared over several jobs."""

    jobs: list[AcrossJob]
    profile_ratios: list[float]
    budgets: list[float]
    """Epochs."""
    precisions: list[float]
    """51 shares of the gap between the loss at the start and the least loss."""
    labels: list[AcrossLabel]

"""Models of answers of a comparison across jobs."""

from typing import Literal

from service.api.schemas.answers import Answer, Number
from service.api.schemas.comparison import TargetAnswer
from service.api.schemas.estimates import EstimateAnswer


class CurveAnswer(Answer):
    """A curve of shares from 0 to 1 and its pointwise 95 % bootstrap band."""

    share: list[float]
    """The share at each value of the axis."""
    low: list[float]
    """Lower end of the band."""
    high: list[float]
    """Upper end of the band."""


class AcrossJob(Answer):
    """One of the jobs compared."""

    job_id: str
    """The job."""
    name: str
    """The job's name."""
    status: str
    """The job's status when it was read."""
    instances: int
    """Number of pairs of seed and start that are compared."""
    target: TargetAnswer
    """The loss to reach in this job."""
    least_loss: Number
    """The loss to which precisions are relative."""
    least_loss_source: Literal["minimum", "smallest_recorded"]
    """Source of `least_loss`: a known minimum, or the smallest loss that any run recorded."""
    settings: list[str]
    """The setting of each label that is compared: the best by median final loss."""


class AcrossLabel(Answer):
    """One label over all jobs; each job has the same weight."""

    label: str
    """The label, which occurs in all jobs."""
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
    """The jobs, in the order of the request."""
    profile_ratios: list[float]
    """Ratios of cost at which `profile` is given."""
    budgets: list[float]
    """Epochs."""
    precisions: list[float]
    """51 shares of the gap between the loss at the start and the least loss."""
    labels: list[AcrossLabel]
    """The labels that all jobs share."""

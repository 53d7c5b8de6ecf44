"""Models of answers with the numbers of a heat map."""

from typing import Literal

from service.api.schemas.answers import Answer
from service.api.schemas.estimates import Bound


class AxisAnswer(Answer):
    """One axis of a heat map."""

    name: str
    """The hyper-parameter."""
    values: list[float]
    """Its values, in the order of the spec."""


class HeatMapAnswer(Answer):
    """The numbers of a heat map over two hyper-parameters, one for each cell."""

    job_id: str
    """The job."""
    label: str
    """The label of the entry."""
    value: Literal["final_loss", "epochs_to_target", "diverged"]
    """The quantity: a median over the runs of a setting, or the share of its runs that diverged."""
    target: float | None
    """The loss to reach; null if neither the query nor the spec has one."""
    x: AxisAnswer
    """The x axis."""
    y: AxisAnswer
    """Upwards."""
    others: list[str]
    """Further hyper-parameters with several values; a cell shows the best of their settings."""
    values: list[list[Bound]]
    """For each y the number at each x: Infinity if most runs diverged or missed the target, null without rows."""
    first_run: list[list[int]]
    """For each cell the index of the first run of its setting; the other runs follow it."""
    runs_per_setting: int
    """Number of runs of each setting, one for each seed and start; `/metrics?runs=` accepts their indices."""
    num_observations: int
    """Number of different runs of each setting: where seeds change nothing, only those of the first seed."""

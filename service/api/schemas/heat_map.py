"""What the numbers of a heat map are, described field by field."""

from typing import Literal

from service.api.schemas.answers import Answer
from service.api.schemas.estimates import Bound


class AxisAnswer(Answer):
    """One axis of a grid."""

    name: str
    """The hyper-parameter."""
    values: list[float]
    """Its values, in the order of the spec."""


class HeatMapAnswer(Answer):
    """One number for each cell of a grid of two hyper-parameters: what a heat map shows."""

    job_id: str
    """The job."""
    label: str
    """The entry of the spec's optimizers that the grid is of."""
    value: Literal["final_loss", "epochs_to_target", "diverged"]
    """What the numbers are: medians over the runs of a setting, or the share of its runs that diverged."""
    target: float | None
    """The loss to reach; null where neither the query nor the spec has one."""
    x: AxisAnswer
    """To the right."""
    y: AxisAnswer
    """Upwards."""
    others: list[str]
    """Further hyper-parameters with several values: a cell shows the best of them."""
    values: list[list[Bound]]
    """For each y the number at each x: Infinity where most runs diverged or missed the target, null where no row is."""
    first_run: list[list[int]]
    """For each cell the index of the first run of the setting that it shows; the others follow it."""
    runs_per_setting: int
    """Runs of each setting, one for each seed and start: `/metrics?runs=` takes their indices."""
    num_observations: int
    """Runs of each setting that count: where seeds change nothing, copies are left out."""

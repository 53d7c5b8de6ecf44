"""Models of answers that several routes share: numbers, pages, runs, histories, decision maps and errors."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import ConfigDict, Field
from typing_extensions import TypeAliasType

from service.database.ids import run_id
from service.database.states import RunStatus
from service.database.tables import Job
from service.database.tables import Run as RunRow
from service.spec.documented import Documented
from service.spec.runs import Run as RunSpec

Item = TypeVar("Item")
# JSON has neither NaN nor infinities. As texts they are accepted by every strict parser.
Number = TypeAliasType(
    "Number",
    Annotated[
        float | Literal["NaN", "Infinity", "-Infinity"],
        Field(
            title="Number",
            description="A number. NaN and infinities are texts, because JSON has no such numbers.",
        ),
    ],
)


class Answer(Documented):
    """Base of all answers."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class RunAnswer(Answer):
    """A run: one setting of an optimizer, trained with one seed from one start."""

    id: str
    """Opaque id; the ids of a job's runs sort by index."""
    job_id: str
    """Id of its job."""
    index: int
    """Position in the job, from 0."""
    label: str
    """The label of the entry, and the hyper-parameters that vary within it."""
    optimizer: dict[str, Any]
    """The kind and every hyper-parameter, defaults included."""
    seed: int
    """Seed of the initial weights, the order of the data and the noise."""
    start: list[float] | None
    """Starting point; null for networks."""
    status: RunStatus
    """The current status; `diverged`: the loss exceeded all bounds."""
    epochs_done: int
    """Epochs trained so far."""
    final_loss: Number | None
    """Loss of the last row recorded so far."""
    best_loss: Number | None
    """Smallest finite loss recorded so far; with `maximize` the largest."""
    best_epoch: int | None
    """First epoch with the best loss."""
    diverged_epoch: int | None
    """Epoch at which the loss exceeded all bounds; null if it did not."""


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    """Items of this page."""
    next: str | None
    """Cursor of the next page; null on the last one."""


class History(Answer):
    """The history of a run: one array per field, all of the same length, sorted by epoch."""

    model_config = ConfigDict(extra="allow")

    run_id: str
    """Id of the run."""
    label: str
    """Label of the run."""
    seed: int
    """Seed of the run."""
    epoch: list[int]
    """Epochs of the rows; epoch 0 is before the first update."""
    total_points: int
    """Rows between from_epoch and to_epoch."""
    returned_points: int
    """Rows in this answer."""


class Histories(Answer):
    """Histories of several runs."""

    runs: list[History]
    """One history per run of this page."""
    next: str | None
    """Cursor of the next page; null on the last one."""


class DecisionMap(Answer):
    """Decision map: the output of a run's network on a grid of points of the plane."""

    run_id: str
    """Id of the run."""
    epoch: int
    """The last epoch of the run, for which the map is computed."""
    x: list[float]
    """Values of x."""
    y: list[float]
    """Values of y."""
    values: list[list[Number]]
    """Probability of class 1, or the output of a regression, at each x, one row per y."""


class NetworkWeights(Answer):
    """The weights of a small network while it was trained."""

    run_id: str
    """Id of the run."""
    epochs: list[int]
    """Epochs at which they were kept, from 0 to the last; of a run that is trained, those so far."""
    features: list[str]
    """Inputs of the network, computed from a point."""
    widths: list[int]
    """Units of each layer: inputs, hidden layers, output."""
    activation: str
    """Activation of the hidden units."""
    output: Literal["sigmoid", "linear"]
    """Function of the output: sigmoid for the probability of class 1, linear for the number of a regression."""
    weights: list[list[Number]]
    """At each epoch, layer after layer: the matrix, one row for each unit, then the biases."""


class ErrorPlace(Answer):
    """An invalid value of a request."""

    loc: list[str | int]
    """Its place: body, query, path or header, then names and indices."""
    msg: str
    """The reason, and what is allowed there."""


class Problem(Answer):
    """An error (RFC 9457)."""

    type: str
    """Always `about:blank`: status and title identify the kind of error."""
    title: str
    """The kind of error, in words."""
    status: int
    """The HTTP status code."""
    detail: str
    """What happened, where, and what to do."""
    instance: str
    """The path of the request."""
    errors: Annotated[list[ErrorPlace], Field(default_factory=list)]
    """For status 422 the first 20 invalid values, of each list the first one; else absent."""


def run_answer(job: Job, row: RunRow, spec: RunSpec) -> RunAnswer:
    """Make the answer for a run."""
    return RunAnswer(
        id=run_id(job.id, row.index),
        job_id=job.id,
        index=row.index,
        label=spec.label,
        optimizer=spec.optimizer,
        seed=spec.seed,
        start=spec.start,
        status=RunStatus(row.status),
        epochs_done=row.epochs_done,
        final_loss=row.final_loss,
        best_loss=row.best_loss,
        best_epoch=row.best_epoch,
        diverged_epoch=row.diverged_epoch,
    )

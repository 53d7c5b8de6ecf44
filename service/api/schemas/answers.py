"""What HTTP answers: the shape of each answer, described field by field for the OpenAPI document."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from service.database.ids import run_id
from service.database.states import RunStatus
from service.database.tables import Job
from service.database.tables import Run as RunRow
from service.spec.runs import Run as RunSpec

Item = TypeVar("Item")
# JSON has no NaN and no infinity: they are written as text, so that a strict parser reads every answer.
Number = TypeAliasType(
    "Number",
    Annotated[
        float | Literal["NaN", "Infinity", "-Infinity"],
        Field(
            title="Number",
            description="A number; one that is not finite is a text, so that a strict parser reads every answer.",
        ),
    ],
)


class Answer(BaseModel):
    """Anything the API answers."""

    model_config = ConfigDict(ser_json_inf_nan="strings", use_attribute_docstrings=True)


class RunAnswer(Answer):
    """One run: an optimizer at one setting, from one seed and start."""

    id: str
    """Opaque; ids of a job sort by index."""
    job_id: str
    """The job it belongs to."""
    index: int
    """Position in the job, from 0."""
    label: str
    """The optimizer's label, and the hyper-parameters that vary."""
    optimizer: dict[str, Any]
    """Every hyper-parameter resolved."""
    seed: int
    """Seed of its initial weights, data order and noise."""
    start: list[float] | None
    """Where it started; null for networks."""
    status: RunStatus
    """What has become of it so far; diverged: its loss left all bounds."""
    epochs_done: int
    """Epochs trained so far."""
    final_loss: Number | None
    """Loss of the last row recorded so far."""
    best_loss: Number | None
    """Smallest loss recorded so far."""
    best_epoch: int | None
    """Where that was, the first time."""
    diverged_epoch: int | None
    """Where the loss left all bounds; null if it did not."""


class Page(Answer, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    """What is on this page."""
    next: str | None
    """Cursor of the next page; null on the last one."""


class History(Answer):
    """A run's history: one array per field, all of one length, sorted by epoch."""

    model_config = ConfigDict(extra="allow")

    run_id: str
    """The run."""
    label: str
    """The run's label."""
    seed: int
    """The run's seed."""
    epoch: list[int]
    """Epochs of the rows; 0 is the untrained start."""
    total_points: int
    """Rows between from_epoch and to_epoch."""
    returned_points: int
    """Rows in this answer."""


class Histories(Answer):
    """Histories of several runs."""

    runs: list[History]
    """One history for each run on this page."""
    next: str | None
    """Cursor of the next page; null on the last one."""


class Grid(Answer):
    """What a run's network decides, everywhere in the plane."""

    run_id: str
    """The run."""
    epoch: int
    """The epoch that it belongs to: the run's last."""
    x: list[float]
    """Places along x."""
    y: list[float]
    """Places along y."""
    values: list[list[Number]]
    """For each y the probability of class 1 at each x."""


class ErrorPlace(Answer):
    """One thing that is wrong."""

    loc: list[str | int]
    """Where."""
    msg: str
    """What is allowed there."""


class Problem(Answer):
    """An error, as RFC 9457 says."""

    type: str
    """Always `about:blank`: status and title say what happened."""
    title: str
    """What kind of error this is, in words."""
    status: int
    """The HTTP status, again."""
    detail: str
    """What happened, and what is allowed, in a sentence."""
    instance: str
    """The path that was asked for."""
    errors: Annotated[list[ErrorPlace], Field(default_factory=list)]
    """For a rejected request each place that is wrong; else empty."""


def run_answer(job: Job, row: RunRow, spec: RunSpec) -> RunAnswer:
    """Show a run: what it is, and what became of it."""
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

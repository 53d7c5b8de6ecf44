"""What HTTP answers: the shape of each answer, described field by field for the OpenAPI document."""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType

from service.identity import run_id
from service.models import Job
from service.models import Run as RunRow
from service.spec.runs import Run as RunSpec
from service.states import JobStatus, RunStatus

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


class Progress(Answer):
    """How far a job is."""

    runs_total: int
    """Runs of the job."""
    runs_ended: int
    """Runs that will not change any more."""
    runs_diverged: int
    """Runs whose loss left all bounds."""
    epochs_total: int
    """Runs × epochs."""
    epochs_done: int
    """Epochs trained so far, over all runs; runs that diverge train fewer."""
    fraction: float
    """0 to 1."""


class Failure(Answer):
    """Why a job failed."""

    reason: str
    """`worker_lost`, `training_error` or `timeout`."""
    detail: str | None
    """What happened, in a sentence."""


class JobAnswer(Answer):
    """A job."""

    id: str
    """Opaque; ids sort by creation time."""
    name: str
    """The spec's name."""
    status: JobStatus
    """queued → running → completed, failed or cancelled; cancelling between the request and the end."""
    created_at: datetime
    """When it was accepted."""
    started_at: datetime | None
    """When the first worker began."""
    finished_at: datetime | None
    """When the last run ended."""
    spec: dict[str, Any]
    """The spec as accepted, defaults filled in."""
    progress: Progress
    """How far it is."""
    error: Failure | None
    """Null, or why it failed."""
    receipt: dict[str, Any] | None
    """What it was trained with, once started: spec_digest, torch, version, dtype, threads, device."""
    links: dict[str, str]
    """Where to go from here."""


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


class DryRun(Answer):
    """What a job would be."""

    runs_total: int
    """Runs that it would train: optimizers, expanded, × seeds × starts."""
    epochs_total: int
    """Runs × epochs."""
    updates_total: int
    """Parameter updates of all runs."""
    rows_total: int
    """Metric rows that it would store."""
    estimated_seconds: float
    """What one worker would need for it: a rough guess, which depends on the machine."""
    runs: list[dict[str, Any]]
    """The first 20 runs, expanded."""


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


def job_answer(job: Job, totals: Any) -> JobAnswer:
    """Show a job; ``totals`` is the sum over its shards."""
    ended = job.status == JobStatus.COMPLETED
    here = f"/v1/jobs/{job.id}"
    return JobAnswer(
        id=job.id,
        name=job.name,
        status=JobStatus(job.status),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        spec=job.spec,
        progress=Progress(
            runs_total=job.runs_total,
            runs_ended=totals.runs_ended,
            runs_diverged=totals.runs_diverged,
            epochs_total=job.epochs_total,
            epochs_done=totals.epochs_done,
            fraction=1.0 if ended else totals.run_epochs / job.epochs_total,
        ),
        error=Failure(reason=job.error_reason, detail=job.error_detail) if job.error_reason else None,
        receipt=receipt_of(job),
        links={
            "self": here,
            "runs": f"{here}/runs",
            "metrics": f"{here}/metrics",
            "comparison": f"{here}/comparison",
            "plot": f"{here}/plot.svg",
            "cancel": f"{here}/cancel",
        },
    )


def receipt_of(job: Job) -> dict[str, Any] | None:
    """Tell what a job was trained with; None before a worker has begun."""
    return {"spec_digest": job.spec_digest, "dtype": job.spec["dtype"], **job.receipt} if job.receipt else None


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

"""What is answered of a job: what it is, how far it is, and what it would be."""

from datetime import datetime
from typing import Any

from service.api.schemas.answers import Answer
from service.database.states import JobStatus
from service.database.tables import Job


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

"""Models of answers about jobs: the job, its progress, and the size of a job that is not stored."""

from datetime import datetime
from typing import Any

from service.api.schemas.answers import Answer
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job


class Progress(Answer):
    """Progress of a job."""

    runs_total: int
    """Number of runs."""
    runs_ended: int
    """Runs that have ended."""
    runs_diverged: int
    """Runs that have diverged: their loss exceeded all bounds."""
    epochs_total: int
    """Epochs of all runs: runs × epochs."""
    epochs_done: int
    """Epochs trained so far, over all runs; a run that diverges trains fewer."""
    fraction: float
    """Fraction of the work done, from 0 to 1."""


class Failure(Answer):
    """Reason of a job's failure."""

    reason: str
    """`worker_lost`, `training_error` or `timeout`."""
    detail: str | None
    """What happened, as a sentence."""


class JobAnswer(Answer):
    """A job."""

    id: str
    """Opaque id; ids sort by time of creation."""
    name: str
    """The name in the spec."""
    status: JobStatus
    """queued → running → completed, failed or cancelled; cancelling from the request to cancel until the end."""
    created_at: datetime
    """Time of creation."""
    started_at: datetime | None
    """Time at which a worker started the first shard."""
    finished_at: datetime | None
    """Time at which the last run ended."""
    spec: dict[str, Any]
    """The spec with defaults filled in."""
    progress: Progress
    """Its progress."""
    error: Failure | None
    """The reason of its failure; null if it has not failed."""
    waiting: str | None
    """Why a job that has not ended makes no progress, such as a full disk; null if nothing prevents it."""
    receipt: dict[str, Any] | None
    """Environment of the training: spec_digest, torch, version, dtype, threads, device, processor;
    null before the start."""
    links: dict[str, str]
    """Paths of related resources."""


class DryRun(Answer):
    """Size of a job that is not stored."""

    runs_total: int
    """Number of runs: settings × seeds × starts."""
    epochs_total: int
    """Epochs of all runs: runs × epochs."""
    updates_total: int
    """Updates of all runs."""
    rows_total: int
    """Metric rows that would be stored."""
    estimated_seconds: float
    """Rough estimate of the training time with one worker, in seconds; it depends on the machine."""
    runs: list[dict[str, Any]]
    """The first 20 runs."""


def job_answer(job: Job, totals: Any, waiting: str | None = None) -> JobAnswer:
    """Make the answer for a job; ``totals`` is the sum over its shards, ``waiting`` why no rows can be stored."""
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
        waiting=None if job.status in JOB_ENDED else waiting,
        receipt=receipt_of(job),
        links={
            "self": here,
            "runs": f"{here}/runs",
            "metrics": f"{here}/metrics",
            "comparison": f"{here}/comparison",
            "plot": f"{here}/plot.svg",
            "report": f"{here}/report",
            "bundle": f"{here}/bundle",
            "cancel": f"{here}/cancel",
        },
    )


def receipt_of(job: Job) -> dict[str, Any] | None:
    """Give the environment in which a job was trained; None before the start."""
    return {"spec_digest": job.spec_digest, "dtype": job.spec["dtype"], **job.receipt} if job.receipt else None

"""Models of answers about jobs: the job, its progress, and the size of a job that is not stored."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from service.api.schemas.answers import Answer, Number
from service.database.states import JOB_ENDED, JobStatus
from service.database.tables import Job
from service.jobs import receipts
from service.spec.price import Price


class Progress(Answer):
    """Progress of a job."""

    runs_total: int
    """Number of runs; of a job that decides, those queued so far."""
    runs_max: int
    """The most runs that there can be; more than `runs_total` only while a job that decides is open."""
    runs_ended: int
    """Runs that have ended."""
    runs_diverged: int
    """Runs that have diverged: their loss exceeded all bounds."""
    epochs_total: int
    """Epochs of these runs: runs × epochs."""
    epochs_done: int
    """Epochs trained so far, over all runs; a run that diverges trains fewer."""
    fraction: float
    """Fraction of the work done, from 0 to 1; of a job that decides, of the most that there can be, until it ends."""


class Failure(Answer):
    """Reason of a job's failure."""

    reason: str
    """`worker_lost`, `training_error` or `timeout`."""
    detail: str | None
    """What happened, as a sentence."""


class LabelVerdict(Answer):
    """The verdict of a label of a job that decides."""

    label: str
    """The label."""
    verdict: Literal["better", "worse", "equal", "undecided"]
    """`equal`: the difference is inside the margin; `better`, `worse`: it is not 0. The first verdict stays."""
    interval: list[Number] | None
    """Ends of the interval of label − baseline, or of label − the best of the others, on the scale of the criterion, at
    the verdict or at the last look; null while there is none."""
    seeds: int
    """Number of seeds at that look; 0 before the first."""


class DecisionAnswer(Answer):
    """The decision of a job at its last look."""

    status: Literal["open", "decided", "undecided"]
    """`decided`: every label has a verdict; `undecided`: one has none after `max_seeds`; else `open`."""
    seeds_used: int
    """Number of seeds at the look that decided, or at the last look; without those that chose settings, and without
    those whose histories are equal to those of an earlier seed in every run."""
    max_seeds: int
    """The most seeds of the job. POST to `/v1/jobs/{id}/continue` raises it."""
    stopped: str | None = None
    """Why an undecided job trained no further seeds before its `max_seeds`: the quota that their rows would exceed.
    `max_seeds` then is the number of trained seeds, and the job can be continued. null otherwise."""
    labels: list[LabelVerdict]
    """All labels, but the baseline where it is what they are compared with."""


class JobAnswer(Answer):
    """A job."""

    id: str
    """Opaque id; ids sort by time of creation."""
    name: str
    """Its name, at first that in the spec; PATCH changes it."""
    tags: list[str]
    """Words that its owner has attached to it, in the order of the alphabet; PATCH replaces them."""
    note: str | None
    """Text that its owner has written about it; PATCH changes it."""
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
    decision: DecisionAnswer | None
    """Its decision so far; null without `decide` in the spec."""
    error: Failure | None
    """The reason of its failure; null if it has not failed."""
    waiting: str | None
    """Why a job that has not ended makes no progress, such as a full disk; null if nothing prevents it."""
    receipt: dict[str, Any] | None
    """Environment of the training: spec_digest, torch, version, dtype, threads, device, processor, engine,
    and with data dataset_digest; null before the start."""
    links: dict[str, str]
    """Paths of related resources."""


class AtMost(Answer):
    """Size of a job that decides if it trains as many seeds as it may."""

    seeds: int
    """Number of seeds."""
    runs_total: int
    """Number of runs."""
    epochs_total: int
    """Epochs of all runs."""
    updates_total: int
    """Updates of all runs."""
    rows_total: int
    """Metric rows."""
    estimated_seconds: float
    """Rough estimate of the training time with one worker, in seconds."""


class DryRun(Answer):
    """Size of a job that is not stored; of one that decides, up to its first look."""

    seeds: int
    """Number of seeds."""

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
    at_most: AtMost | None
    """Its size with `decide.max_seeds` seeds; null without `decide` in the spec."""
    runs: list[dict[str, Any]]
    """The first 20 runs."""


def size_of(cost: Price) -> dict[str, Any]:
    """Give the fields of a size that follow from a price."""
    return {
        "runs_total": cost.runs_total,
        "epochs_total": cost.epochs_total,
        "updates_total": cost.updates_total,
        "rows_total": cost.rows_total,
        "estimated_seconds": cost.seconds,
    }


def job_answer(job: Job, totals: Any, waiting: str | None = None, tags: Sequence[str] = ()) -> JobAnswer:
    """Make the answer for a job; ``totals`` is the sum over its shards, ``waiting`` why no rows can be stored."""
    ended = job.status == JobStatus.COMPLETED
    epochs_max = job.epochs_total // job.runs_total * (job.runs_max or job.runs_total)
    here = f"/v1/jobs/{job.id}"
    return JobAnswer(
        id=job.id,
        name=job.name,
        tags=list(tags),
        note=job.note,
        status=JobStatus(job.status),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        spec=job.spec,
        progress=Progress(
            runs_total=job.runs_total,
            runs_max=job.runs_max or job.runs_total,
            runs_ended=totals.runs_ended,
            runs_diverged=totals.runs_diverged,
            epochs_total=job.epochs_total,
            epochs_done=totals.epochs_done,
            fraction=1.0 if ended else totals.run_epochs / epochs_max,
        ),
        decision=DecisionAnswer(**job.decision) if job.decision else None,
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
            **({"continue": f"{here}/continue"} if job.decision else {}),
        },
    )


def receipt_of(job: Job) -> dict[str, Any] | None:
    """Give the environment in which a job was trained; None before the start."""
    environment = receipts.shown(job)
    return {"spec_digest": job.spec_digest, "dtype": job.spec["dtype"], **environment} if environment else None

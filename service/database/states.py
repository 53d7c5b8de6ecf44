"""States of jobs, shards and runs, and which of them are final."""

from enum import StrEnum


class JobStatus(StrEnum):
    """A job's life: queued → running → completed, failed or cancelled; cancelling between the request and the end."""

    QUEUED = "queued"  # Stored; no worker has begun.
    RUNNING = "running"  # At least one shard has been claimed.
    CANCELLING = "cancelling"  # Cancelled on request; workers still train.
    COMPLETED = "completed"  # Every run has ended by itself. Runs that diverged have: divergence is a result.
    FAILED = "failed"  # It could not be trained to the end; `error` says why.
    CANCELLED = "cancelled"  # Stopped on request; what was recorded stays.


class ShardStatus(StrEnum):
    """A shard's life: queued ⇄ running (each claim is an attempt) → completed, failed or cancelled."""

    QUEUED = "queued"  # Waits for a worker, or for another one after its worker was lost.
    RUNNING = "running"  # One attempt holds the lease.
    COMPLETED = "completed"  # All of its runs have ended.
    FAILED = "failed"  # Training raised an error, or too many workers were lost on it.
    CANCELLED = "cancelled"  # Stopped with its job.


class RunStatus(StrEnum):
    """A run's life, as its shard goes."""

    QUEUED = "queued"  # Its shard waits.
    RUNNING = "running"  # Its shard trains.
    COMPLETED = "completed"  # Trained for all its epochs.
    DIVERGED = "diverged"  # Its loss left all bounds; the row that shows it is the last.
    FAILED = "failed"  # Its shard failed.
    CANCELLED = "cancelled"  # Its job was cancelled before its last epoch.


class Stop(StrEnum):
    """Why a worker stops training a shard before its last epoch."""

    CANCELLED = "cancelled"  # Somebody asked the job to stop.
    TIMED_OUT = "timed_out"  # The job's time limit is over.
    LOST = "lost"  # Another attempt owns the shard, or it has ended.
    LEAVING = "leaving"  # The worker was told to end.


JOB_ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
SHARD_ENDED = frozenset({ShardStatus.COMPLETED, ShardStatus.FAILED, ShardStatus.CANCELLED})
RUN_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.DIVERGED, RunStatus.FAILED, RunStatus.CANCELLED})

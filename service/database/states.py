"""States of jobs, shards and runs, and which of them are final."""

from enum import StrEnum


class JobStatus(StrEnum):
    """Statuses of a job: queued → running → completed, failed or cancelled; cancelling between request and end."""

    QUEUED = "queued"  # No shard has been claimed.
    RUNNING = "running"  # At least one shard has been claimed.
    CANCELLING = "cancelling"  # Cancelled on request; workers still train.
    COMPLETED = "completed"  # Every run has completed or diverged.
    FAILED = "failed"  # A shard failed; `error` has the reason.
    CANCELLED = "cancelled"  # Stopped on request; what was recorded stays.


class ShardStatus(StrEnum):
    """Statuses of a shard: queued ⇄ running (each claim is an attempt) → completed, failed or cancelled."""

    QUEUED = "queued"  # Waits for a worker, or for another one after its worker was lost.
    RUNNING = "running"  # One attempt holds the lease.
    COMPLETED = "completed"  # All of its runs have ended.
    FAILED = "failed"  # Training raised an error, or too many workers were lost on it.
    CANCELLED = "cancelled"  # Stopped with its job.


class RunStatus(StrEnum):
    """Statuses of a run, which follow those of its shard."""

    QUEUED = "queued"  # Its shard has stored no chunk.
    RUNNING = "running"  # Its shard has stored a chunk and has not ended.
    COMPLETED = "completed"  # Trained for all its epochs.
    DIVERGED = "diverged"  # Its loss exceeded all bounds in its last row.
    FAILED = "failed"  # Its shard failed.
    CANCELLED = "cancelled"  # Its job was cancelled before its last epoch.


class Stop(StrEnum):
    """Why a worker stops training a shard before its last epoch."""

    CANCELLED = "cancelled"  # The job is being cancelled.
    TIMED_OUT = "timed_out"  # The time limit of the job has passed.
    LOST = "lost"  # Another attempt owns the shard, or it has ended.
    SHUTDOWN = "shutdown"  # The worker shuts down.
    TURN = "turn"  # Another owner's turn has come.
    OVERRUN = "overrun"  # The shard takes too long for the queue `interactive`.


JOB_ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
SHARD_ENDED = frozenset({ShardStatus.COMPLETED, ShardStatus.FAILED, ShardStatus.CANCELLED})
SHARD_OPEN = frozenset({ShardStatus.QUEUED, ShardStatus.RUNNING})
RUN_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.DIVERGED, RunStatus.FAILED, RunStatus.CANCELLED})

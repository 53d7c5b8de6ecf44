"""States of jobs, shards and runs, and which of them are final."""

from enum import StrEnum


class JobStatus(StrEnum):
    """States of a job: queued → running → completed, failed or cancelled; cancelling from the request to the end."""

    QUEUED = "queued"  # Stored; no shard has been claimed.
    RUNNING = "running"  # At least one shard has been claimed.
    CANCELLING = "cancelling"  # Cancellation was requested; workers still train.
    COMPLETED = "completed"  # Every run was trained to its end or has diverged, which is a result.
    FAILED = "failed"  # It could not be trained to the end; `error` has the reason.
    CANCELLED = "cancelled"  # Stopped on request; recorded rows are kept.


class ShardStatus(StrEnum):
    """States of a shard: queued ⇄ running (each claim is an attempt) → completed, failed or cancelled."""

    QUEUED = "queued"  # Waits for a worker, also after its last worker was lost or shut down.
    RUNNING = "running"  # One attempt holds the lease.
    COMPLETED = "completed"  # All of its runs have ended.
    FAILED = "failed"  # The training raised an error, or too many workers were lost while they trained it.
    CANCELLED = "cancelled"  # Its job was cancelled.


class RunStatus(StrEnum):
    """States of a run, which follow those of its shard."""

    QUEUED = "queued"  # Its shard is queued.
    RUNNING = "running"  # Its shard is running.
    COMPLETED = "completed"  # Trained for all its epochs.
    DIVERGED = "diverged"  # Its loss exceeded all bounds; its last row shows it.
    FAILED = "failed"  # Its shard failed.
    CANCELLED = "cancelled"  # Its job was cancelled before its last epoch.


class Stop(StrEnum):
    """Reasons to stop the training of a shard before its last epoch."""

    CANCELLED = "cancelled"  # Cancellation of the job was requested.
    TIMED_OUT = "timed_out"  # The job's time limit is over.
    LOST = "lost"  # Another attempt owns the shard, or it has ended.
    LEAVING = "leaving"  # The worker shuts down.


JOB_ENDED = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})
SHARD_ENDED = frozenset({ShardStatus.COMPLETED, ShardStatus.FAILED, ShardStatus.CANCELLED})
RUN_ENDED = frozenset({RunStatus.COMPLETED, RunStatus.DIVERGED, RunStatus.FAILED, RunStatus.CANCELLED})

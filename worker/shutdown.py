"""Shutdown of a process that trains: whether it was requested, and how long ago.

SIGTERM requests it. The training thread checks the request between updates, stores a checkpoint and gives its shard
back; `worker.process` then ends the process.
"""

import time

_requested_at: float | None = None


def request() -> None:
    """Request the end of this process. Safe in a signal handler."""
    global _requested_at
    if _requested_at is None:
        _requested_at = time.monotonic()


def is_requested() -> bool:
    """Whether the end of this process was requested."""
    return _requested_at is not None


def is_overdue(seconds: float) -> bool:
    """Whether the end was requested more than ``seconds`` ago."""
    return _requested_at is not None and time.monotonic() - _requested_at > seconds

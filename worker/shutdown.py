"""Was this process told to end, and how long may it still train?

SIGTERM reaches a worker's main process, which tells those that train; a service manager may send it to all of them.
Whoever trains stores what there is and gives its shard back; whoever does not, leaves.
"""

import os
import signal
import time
from collections.abc import Iterable
from types import FrameType

# From the main process to those that train: it asks the idle ones to leave by itself.
_FROM_MAIN = signal.SIGUSR2

_asked_at: float | None = None
_is_training = False


def asked() -> bool:
    """Whether this process was told to end."""
    return _asked_at is not None


def overdue(seconds: float) -> bool:
    """Whether that was longer ago than this."""
    return _asked_at is not None and time.monotonic() - _asked_at > seconds


class training:  # noqa: N801  (used as a statement: with training():)
    """The time in which a process that is told to end hands over before it does."""

    def __enter__(self) -> None:
        global _is_training
        _is_training = True

    def __exit__(self, *_: object) -> None:
        global _is_training
        _is_training = False


def listen() -> None:
    """Take the signals of a process that trains; its main thread must call this."""
    signal.signal(_FROM_MAIN, _on_signal)
    signal.signal(signal.SIGTERM, _on_signal)


def tell(pids: Iterable[int]) -> None:
    """Tell processes that train to hand over."""
    for pid in pids:
        try:
            os.kill(pid, _FROM_MAIN)
        except ProcessLookupError:
            continue  # It has ended.


def _on_signal(number: int, _: FrameType | None) -> None:
    global _asked_at
    _asked_at = _asked_at or time.monotonic()
    if number == signal.SIGTERM and not _is_training:
        raise SystemExit(0)

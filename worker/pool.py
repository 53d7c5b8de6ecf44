"""Celery pool with one training thread, next to the main thread, which communicates with the broker."""

import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.concurrency.thread import ApplyResult, TaskPool

_KIBIBYTE = 1_024


class TrainingPool(TaskPool):  # type: ignore[misc]
    """One thread. If the process is above its memory limit after a task, the main thread calls ``replace``."""

    def __init__(self, *arguments: Any, max_memory_per_child: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.replace: Callable[[], None] = lambda: None
        self._max_memory_bytes = max_memory_per_child * _KIBIBYTE
        self._hub: Any = None
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="training", initializer=_use_one_core)

    def register_with_event_loop(self, hub: Any) -> None:
        """Wake Celery's event loop at a signal; otherwise it would react up to 1 s later."""
        self._hub = hub
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)

        def drain() -> None:
            with suppress(BlockingIOError):
                reader.recv(_KIBIBYTE)

        hub.add_reader(reader, drain)
        # Keeps the socket open while the loop uses it.
        self._waker = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def on_apply(self, *arguments: Any, **named: Any) -> ApplyResult:
        """Run a task in the thread, then compare the memory of the process with its limit."""
        result: ApplyResult = super().on_apply(*arguments, **named)
        result.f.add_done_callback(self._check_memory)
        return result

    def _check_memory(self, _: Future[Any]) -> None:
        if self._hub is not None and _resident_bytes() > self._max_memory_bytes:
            # After the acknowledgement, which the task has put into the same queue of callbacks.
            self._hub.call_soon(lambda: self._hub.call_soon(self.replace))

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "processes": [os.getpid()]}


def _use_one_core() -> None:
    """Set torch's number of threads in the training thread, because OpenMP stores it per thread."""
    import torch

    torch.set_num_threads(1)


def _resident_bytes() -> int:
    """Give the resident memory of this process; on systems other than Linux, its maximum so far."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * _KIBIBYTE

"""Celery's pool of a worker: one thread that trains, beside the main thread, which talks to the broker."""

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
    """One thread. A process above its memory limit leaves after the task: ``leave`` is called in the main thread."""

    def __init__(self, *arguments: Any, max_memory_per_child: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.leave: Callable[[], None] = lambda: None
        self._max_memory_bytes = max_memory_per_child * _KIBIBYTE
        self._hub: Any = None
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="training", initializer=_use_one_core)

    def register_with_event_loop(self, hub: Any) -> None:
        """Wake Celery's event loop when a signal arrives; by itself it would notice up to a second later."""
        self._hub = hub
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.setblocking(False)

        def drain() -> None:
            with suppress(BlockingIOError):
                reader.recv(_KIBIBYTE)

        hub.add_reader(reader, drain)
        # Keeps the socket open as long as the loop has it.
        self._waker = writer
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)

    def on_apply(self, *arguments: Any, **named: Any) -> ApplyResult:
        """Run a task in the thread, then compare the memory of the process with its limit."""
        result: ApplyResult = super().on_apply(*arguments, **named)
        result.f.add_done_callback(self._check_memory)
        return result

    def _check_memory(self, _: Future[Any]) -> None:
        if self._hub is not None and _resident_bytes() > self._max_memory_bytes:
            # After the acknowledgement, which the task has put into the same queue of the main thread.
            self._hub.call_soon(lambda: self._hub.call_soon(self.leave))

    def _get_info(self) -> dict[str, Any]:
        return {**super()._get_info(), "processes": [os.getpid()]}


def _use_one_core() -> None:
    """Set torch's number of threads in the thread that trains: OpenMP keeps it for each thread."""
    import torch

    torch.set_num_threads(1)


def _resident_bytes() -> int:
    """Resident memory of this process; elsewhere than on Linux the largest that it ever had."""
    with suppress(OSError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * _KIBIBYTE

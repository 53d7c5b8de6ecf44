"""Peak resident memory of processes during a block."""

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psutil

LOOK_SECONDS = 0.02


class Watch:
    """Samples the resident memory of processes during a block: ``peaks`` and ``before`` are bytes by process id."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before: dict[int, int] = {}
        self.peaks: dict[int, int] = {}

    @property
    def growth(self) -> int:
        """Give the largest growth of a process, in bytes."""
        return max(self.peaks[pid] - self.before[pid] for pid in self.before)

    def __enter__(self) -> Self:
        self.before = {process.pid: process.memory_info().rss for process in self._processes}
        self.peaks = dict(self.before)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self._look()
        self._look()

    def _look(self) -> None:
        for process in self._processes:
            try:
                self.peaks[process.pid] = max(self.peaks[process.pid], process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue


def service_processes(parent: int) -> tuple[list[int], list[int]]:
    """Find the API and the training processes below the process that started the stack."""
    below = psutil.Process(parent).children(recursive=True)
    api = [process.pid for process in below if _runs(process, "service.cli.local.serve")]
    return api, [process.pid for process in training_processes(parent)]


def training_processes(parent: int) -> list[psutil.Process]:
    """Find the training processes below a process: the children of the hosts of the workers."""
    hosts = [process for process in psutil.Process(parent).children(recursive=True) if is_host(process)]
    return [child for host in hosts for child in host.children()]


def is_host(process: psutil.Process) -> bool:
    """Whether a process is a host of workers; its children have the same command line."""
    parent = process.parent()
    return _runs(process, "worker") and not (parent is not None and _runs(parent, "worker"))


def _runs(process: psutil.Process, module: str) -> bool:
    """Whether a process is ``python -m module``, with further options of Python before."""
    command = process.cmdline()
    return "-m" in command and command[command.index("-m") + 1 :][:1] == [module]

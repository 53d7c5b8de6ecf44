"""The host of the training processes of a worker: imports once, forks, supervises and restarts them.

The host imports torch and forks each training process: a fork takes 0.1 s and shares the loaded code, an import takes
seconds. A process that forks must have one thread, because the locks of other threads would stay locked in the copy.
The host starts no thread and checks their number before each fork. It starts a new interpreter instead if the check
fails or if the system is not Linux.
"""

import ctypes
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from service.observing import logs
from service.observing.exits import how_it_ended
from service.settings import get_settings

SETTLED_SECONDS = 5.0  # A process that ends after this time is restarted at once; an earlier end adds a pause.
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 10.0
STAGGER_SECONDS = 0.3  # Ahead of the others, the first process takes the first job.
_PR_SET_PDEATHSIG = 1  # From linux/prctl.h.
_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGALRM}
# All modules that a process needs to train its first shard.
_LOADED = (
    "worker.process",
    "worker.runner",
    "kombu.transport.redis",
    "celery.app.control",
    "celery.app.events",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.strategy",
    "billiard.pool",
    "service.database.dialects.known",
)

log = logging.getLogger("ravine.host")


@dataclass
class Worker:
    """A training process: its name, its queues, and its current state."""

    name: str
    queues: tuple[str, ...]
    sweeps: bool
    pid: int | None = None
    started_at: float = 0.0
    quick_deaths: int = 0
    starts_at: float = 0.0

    @property
    def argument(self) -> str:
        """The argument of ``python -m worker`` that describes this process."""
        return f"{self.name}:1:{','.join(self.queues)}"


def workers_of(arguments: Sequence[str]) -> list[Worker]:
    """Read arguments of the form NAME:PROCESSES:QUEUE,QUEUE. The first process of each name sweeps.

    Raises:
        ValueError: An argument has another form.
    """
    found = []
    for argument in arguments:
        name, processes, queues = argument.split(":")
        for number in range(1, int(processes) + 1):
            full = name if number == 1 else f"{name}-{number}"
            found.append(Worker(full, tuple(queues.split(",")), sweeps=number == 1))
    return found


class Host:
    """Keeps processes running until SIGTERM or SIGINT."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._workers = workers
        self._stops = False
        self._exit_code = os.EX_OK
        self._pid = os.getpid()

    def run(self) -> int:
        """Start all processes, watch them, and return the exit code when all have ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        # By default SIGCHLD is ignored; some systems then discard it although it is blocked.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for worker in self._workers[1:]:
            worker.starts_at = time.monotonic() + STAGGER_SECONDS
        while True:
            self._start_due()
            if self._stops and not any(worker.pid for worker in self._workers):
                return self._exit_code
            if signal.sigwait(_SIGNALS) in (signal.SIGTERM, signal.SIGINT):
                self._stop()
            self._reap()

    def _start_due(self) -> None:
        now = time.monotonic()
        waiting = [worker for worker in self._workers if worker.pid is None and not self._stops]
        for worker in waiting:
            if worker.starts_at <= now:
                worker.started_at = now
                worker.pid = self._fork(worker) if can_fork() else _spawn(worker)
        later = [worker.starts_at - now for worker in waiting if worker.starts_at > now]
        signal.setitimer(signal.ITIMER_REAL, min(later, default=0.0))

    def _fork(self, worker: Worker) -> int:
        pid = os.fork()
        if pid == 0:
            become(worker, parent=self._pid)
        return pid

    def _stop(self) -> None:
        """Send SIGTERM to every process; each hands its shard over."""
        self._stops = True
        for worker in self._workers:
            if worker.pid is not None:
                os.kill(worker.pid, signal.SIGTERM)

    def _reap(self) -> None:
        for worker in self._workers:
            if worker.pid is None:
                continue
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                worker.pid = None
                self._plan_restart(worker, os.waitstatus_to_exitcode(status))

    def _plan_restart(self, worker: Worker, code: int) -> None:
        if self._stops:
            return
        if code == os.EX_CONFIG:
            self._exit_code = code
            self._stop()
            return
        quick = code != os.EX_OK and time.monotonic() - worker.started_at < SETTLED_SECONDS
        worker.quick_deaths = worker.quick_deaths + 1 if quick else 0
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (worker.quick_deaths - 1), LONGEST_PAUSE_SECONDS) if quick else 0.0
        worker.starts_at = time.monotonic() + pause
        if code != os.EX_OK:
            log.warning("worker process %s %s; starting it again", worker.name, how_it_ended(code))


def load() -> None:
    """Import all modules that the training processes need."""
    logs.configure(get_settings())
    if not can_fork():
        return
    # Imports create few cycles, and garbage collection would take a tenth of their time.
    gc.disable()
    for module in _LOADED:
        import_module(module)
    # Excludes loaded objects from later collections, which would write to memory that the processes share.
    gc.freeze()
    gc.enable()


def can_fork() -> bool:
    """Whether a fork of this process is safe: Linux, and one thread."""
    if sys.platform != "linux":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  (before pathlib is loaded)
    except OSError:
        return False


def become(worker: Worker, parent: int | None = None) -> NoReturn:
    """Train in this process, and end it with the exit code. If ``parent`` ends, this process is killed."""
    if parent is not None:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(os.EX_OK)  # The host ended before the request above was made.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    code = os.EX_SOFTWARE
    try:
        from worker import process

        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        code = process.run(worker.name, worker.queues, sweeps=worker.sweeps)
    except BaseException:
        log.exception("worker process %s failed", worker.name)
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _spawn(worker: Worker) -> int:
    command = [sys.executable, "-P", "-m", "worker", "--alone", worker.argument]
    return os.spawnv(os.P_NOWAIT, sys.executable, command)  # noqa: S606  (no shell is involved)

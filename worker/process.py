"""One training process: a Celery worker with one thread, from its start to its end."""

import ctypes
import logging
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import celery.apps.worker
from celery.exceptions import SecurityWarning
from celery.utils.nodenames import host_format
from celery.worker import state
from sqlalchemy.exc import OperationalError
from structlog.contextvars import bind_contextvars

import worker.tasks  # noqa: F401  (registers the task)
from service.jobs.dispatch import Sweep
from service.jobs.messages import channel_of
from service.observing import logs, tracing
from service.settings import get_settings
from worker import shutdown
from worker.app import app, database, dispatcher
from worker.engine.device import use_device
from worker.engine.fused.programs import service
from worker.plugins.installed import installed
from worker.pool import TrainingPool
from worker.presence import Presence

_PR_SET_NAME = 15  # From linux/prctl.h.
_M_ARENA_MAX = -8  # From malloc.h of glibc.

log = logging.getLogger("ravine.process")


def run(name: str, queues: Sequence[str], *, sweeps: bool) -> int:
    """Train shards from ``queues`` until SIGTERM or the memory limit, and return the exit code.

    With ``sweeps``, also run the sweep, so that it runs even if no API process does.
    """
    settings = get_settings()
    hostname = host_format(f"{name}@%h")
    logs.configure(settings)
    bind_contextvars(worker=hostname)
    _name_process(name)
    _use_one_arena()
    try:
        use_device(settings.device)
        tracing.configure(settings, "worker")
        service().configure(enabled=settings.compiled, folder=settings.compiled_folder)
    except (ValueError, tracing.TracingMissing) as error:
        log.critical("worker %s cannot start: %s", name, error)
        return os.EX_CONFIG  # A restart would fail for the same reason.
    _connect()
    sweep = Sweep(database(), dispatcher(), settings) if sweeps else None
    if sweep is not None:
        sweep.start()
    # Celery warns if a worker runs as root, because pickled messages can run code. All messages here are JSON.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    kinds = {kind: one.offer for kind, one in installed(settings.optimizers).items()}
    channels = [channel_of(queue, kind) for queue in queues for kind in ("", *kinds)]
    process = _Process(app=app, hostname=hostname, queues=channels, **_OPTIONS)
    process.pool.replace = process.replace
    with Presence(database(), kinds):
        process.start()
    if sweep is not None:
        sweep.stop()
    dispatcher().close()
    database().close()
    tracing.close()
    return int(process.exitcode or 0)


class _Process(celery.apps.worker.Worker):  # type: ignore[misc]
    """Celery's worker with the signal handlers of a process that `worker.host` supervises."""

    def install_platform_tweaks(self, worker: Any) -> None:
        """Handle SIGTERM, and ignore SIGINT: the terminal sends it to the host too, which then sends SIGTERM."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: self.request_end())

    def request_end(self) -> None:
        """Hand the shard over, then end. Celery's own shutdown would train it to its last epoch."""
        shutdown.request()
        state.should_stop = os.EX_OK

    def replace(self) -> None:
        """End between two tasks, so that the host starts a new process with less memory."""
        log.warning(
            "process %d uses more than RAVINE_WORKER_MEMORY_MB=%d after a shard; replacing it",
            os.getpid(),
            get_settings().worker_memory_mb,
        )
        self.request_end()


_OPTIONS: dict[str, Any] = {
    "pool_cls": TrainingPool,
    "concurrency": 1,
    "loglevel": "INFO",
    "quiet": True,
    # Workers do not communicate with each other; the search for others would take 1 s at each start.
    "without_gossip": True,
    "without_mingle": True,
    "without_heartbeat": True,
}


def _connect() -> None:
    """Connect to the database before the first job."""
    try:
        with database().snapshot() as session:
            session.connection()
    except OperationalError as error:
        log.warning("database unavailable; shards stay queued: %s", error.orig)


def _name_process(name: str) -> None:
    """Show the worker's name in `ps` and `top`, where the operating system allows it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def _use_one_arena() -> None:
    """Let all threads allocate from the main arena of malloc, the only one in which glibc keeps freed memory."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)

"""The Celery app: what a worker listens to, and what each of its processes opens."""

import os
from typing import Any

from billiard import active_children
from celery import Celery
from celery.signals import (
    setup_logging,
    worker_before_create_process,
    worker_process_init,
    worker_process_shutdown,
    worker_ready,
    worker_shutting_down,
)
from kombu.entity import Queue

from service.database.connection import Database
from service.jobs.dispatch import QUEUES, Dispatcher, Sweep, celery_settings
from service.observing import logs, tracing
from service.settings import get_settings
from worker import shutdown

app = Celery("ravine", include=["worker.tasks"])
app.conf.update(celery_settings(get_settings()))
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    # Forking a process that has loaded torch is unsafe: every process of the pool starts afresh.
    worker_pool_start_method="spawn",
    # A worker takes a message only when it is free to train it, and gives it back by not having acknowledged it.
    worker_prefetch_multiplier=1,
    # Loading torch takes seconds on a busy machine; by default a process is killed that needs more than four.
    worker_proc_alive_timeout=60.0,
    task_acks_late=True,
    # In kilobytes; looked at when a task has ended.
    worker_max_memory_per_child=get_settings().worker_memory_mb * 1_024,
    worker_hijack_root_logger=False,
    # A task that nothing stores the result of needs no events either; `inspect` and Flower switch them on.
    worker_send_task_events=False,
)

_open: dict[str, Any] = {}


def database() -> Database:
    """Give the database of this process."""
    if "database" not in _open:
        _open["database"] = Database(get_settings().database_url, pool_size=2)
    found: Database = _open["database"]
    return found


@setup_logging.connect
def _log(**_: Any) -> None:
    """Log as the API does, in the main process and in those that train; Celery leaves the log alone then."""
    logs.configure(get_settings())


@worker_before_create_process.connect
def _keep_quiet(**_: Any) -> None:
    """Keep a process from logging in Celery's form before it has been told ours: billiard does where this is set."""
    os.environ.pop("_MP_FORK_LOGLEVEL_", None)


@worker_process_init.connect
def _warm_up(**_: Any) -> None:
    """Load torch before the first job arrives, open the database, and listen to what comes from the main process."""
    shutdown.listen()
    tracing.configure(get_settings(), "worker")
    from worker.engine.device import use_device

    use_device(get_settings().device)
    from worker import runner  # noqa: F401  (its imports are what takes time)

    with database().snapshot() as session:
        session.connection()


@worker_process_shutdown.connect
def _close(**_: Any) -> None:
    database().close()
    tracing.close()


@worker_ready.connect
def _start_sweep(**_: Any) -> None:
    """Sweep in the worker's main process too: shards are taken back while no API is up."""
    settings = get_settings()
    _open["sweep"] = Sweep(database(), Dispatcher(settings), settings)
    _open["sweep"].start()


@worker_shutting_down.connect
def _hand_over(**_: Any) -> None:
    """Tell the processes of the pool to hand over: Celery would wait until they have trained to the end."""
    shutdown.tell(child.pid for child in active_children())
    if "sweep" in _open:
        _open["sweep"].stop()

"""The Celery app: queues, acknowledgement, memory limit, and the database of the process."""

from typing import Any

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Queue

from service.database.connection import Database
from service.jobs.dispatch import QUEUES, Dispatcher, celery_settings
from service.observing import logs
from service.settings import get_settings

app = Celery("ravine", include=["worker.tasks"])
app.conf.update(celery_settings(get_settings()))
app.conf.update(
    task_queues=[Queue(name) for name in QUEUES],
    # One message at a time, acknowledged when its task has ended: the broker delivers it again if the process dies.
    worker_prefetch_multiplier=1,
    task_acks_late=True,
    # In kilobytes; compared after each task.
    worker_max_memory_per_child=get_settings().worker_memory_mb * 1_024,
    worker_hijack_root_logger=False,
    # Events are off, because nothing uses them; `inspect` and Flower switch them on.
    worker_send_task_events=False,
)

_open: dict[str, Database] = {}
_sending: dict[str, Dispatcher] = {}


def database() -> Database:
    """Give the database of this process: connections for the training, its heartbeat and the sweep."""
    if "database" not in _open:
        _open["database"] = Database(
            get_settings().database_url, pool_size=3, min_free_bytes=get_settings().min_free_bytes
        )
    return _open["database"]


def dispatcher() -> Dispatcher:
    """Give the sender of messages of this process."""
    if "dispatcher" not in _sending:
        _sending["dispatcher"] = Dispatcher(get_settings())
    return _sending["dispatcher"]


@setup_logging.connect
def _log(**_: Any) -> None:
    """Configure the log as in the API, in place of Celery's configuration."""
    logs.configure(get_settings())

"""The tasks of a worker, by name."""

from typing import Any

from structlog.contextvars import bound_contextvars

from service.jobs.dispatch import TRAIN_SHARD
from service.settings import get_settings
from worker.app import app, database, dispatcher


@app.task(name=TRAIN_SHARD, bind=True)
def train_shard(self: Any, queue: str) -> None:
    """Train the shard of a queue whose turn it is."""
    from worker.runner import train_next  # `celery inspect` imports this file and needs no torch.

    with bound_contextvars(worker=self.request.hostname, queue=queue):
        train_next(database(), get_settings(), queue, dispatcher().send)

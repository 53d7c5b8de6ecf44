"""The tasks of a worker, by name."""

from typing import Any

from structlog.contextvars import bound_contextvars

from service.jobs.dispatch import TRAIN_SHARD
from service.settings import get_settings
from worker.app import app, database


@app.task(name=TRAIN_SHARD, bind=True)
def train_shard(self: Any, job_key: int, number: int) -> None:
    """Train one shard of a job."""
    from worker.runner import train_shard  # `celery inspect` imports this file and needs no torch.

    with bound_contextvars(worker=self.request.hostname, shard=number):
        train_shard(database(), get_settings(), job_key, number)

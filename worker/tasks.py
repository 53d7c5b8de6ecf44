"""Which tasks a worker knows: a name, and one call each."""

from typing import Any

from structlog.contextvars import bound_contextvars

from service.jobs.dispatch import TRAIN_SHARD
from service.settings import get_settings
from worker.app import app, database


@app.task(name=TRAIN_SHARD, bind=True)
def train_shard(self: Any, job_key: int, number: int) -> None:
    """Train one shard of a job."""
    from worker.runner import train_shard  # Only the processes of the pool load torch.

    with bound_contextvars(worker=self.request.hostname, shard=number):
        train_shard(database(), get_settings(), job_key, number)

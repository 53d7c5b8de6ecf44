"""Work on one shard: claim, training, and the messages for shards that wait afterwards; errors end the shard."""

import logging
import math
from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from service.database.connection import Database
from service.database.states import ShardStatus
from service.jobs import shards
from service.jobs.claims import claim_next
from service.jobs.dispatch import MESSAGES_PER_JOB
from service.jobs.shards import Claim, LeaseLost
from service.observing import tracing
from service.settings import Settings
from worker import shutdown
from worker.heartbeat import Heartbeat
from worker.plugins.installed import installed
from worker.receipt import receipt
from worker.storing import store
from worker.training import Training, Waiting

log = logging.getLogger("ravine.runner")


def train_next(database: Database, settings: Settings, queue: str, send: Callable[[str], None]) -> None:
    """Train the shard of a queue whose turn it is; a late or repeated message may find none.

    ``send`` sends a message to a channel in which a shard waits again.
    """
    _claim_and_train(database, settings, send, lambda session, **options: claim_next(session, queue, **options))


def train_shard(database: Database, settings: Settings, job_key: int, number: int) -> None:
    """Train a shard if it is queued, whatever its turn, and to its end."""
    settings = settings.model_copy(update={"slice_seconds": math.inf, "interactive_seconds": math.inf})

    def claim(session: Session, **options: Any) -> Claim | None:
        return shards.claim(session, job_key, number, **options)

    _claim_and_train(database, settings, lambda channel: None, claim)


def _claim_and_train(
    database: Database, settings: Settings, send: Callable[[str], None], claim_with: Callable[..., Claim | None]
) -> None:
    if shutdown.is_requested():
        return
    kinds = installed(settings.optimizers)
    options = {
        "lease_seconds": settings.lease_seconds,
        "max_seconds": settings.max_job_seconds,
        "receipt": receipt(),
        "offers": {kind: one.offer for kind, one in kinds.items()},
    }
    try:
        with database.transaction() as session:
            claim = claim_with(session, **options)
    except OperationalError as error:
        log.error("database unavailable; shards stay queued: %s", error.orig)
        return
    if claim is None:
        return
    context: dict[str, str | int] = {"job": claim.job_id, "shard": claim.number, "attempt": claim.attempt}
    with bound_contextvars(**context), tracing.shard_span(claim.traceparent, **context):
        log.info("claimed runs %d to %d", claim.first_run, claim.first_run + claim.num_runs - 1)
        if (waiting := _train(database, settings, claim)) is not None:
            channel, num = waiting
            for _ in range(min(num, MESSAGES_PER_JOB)):
                send(channel)


def _train(database: Database, settings: Settings, claim: Claim) -> Waiting | None:
    """Train a shard, and record an error of the training as its failure."""
    try:
        try:
            with Heartbeat(database, settings, claim, installed(settings.optimizers)) as heartbeat:
                return Training(database, settings, claim, heartbeat).run()
        except (LeaseLost, OperationalError):
            raise
        except Exception as error:
            log.exception("training shard %d of job %s failed", claim.number, claim.job_id)
            detail = f"{type(error).__name__}: {error}"[:2_000]

            def fail(session: Session) -> None:
                shards.end(session, claim, ShardStatus.FAILED, reason="training_error", detail=detail)

            store(database, settings, claim, None, fail)
    except LeaseLost as lost:
        log.warning("%s of job %s: another worker continues", lost, claim.job_id)
    except OperationalError as error:
        # Not a failure of the job: when the lease has expired, another worker continues from the last checkpoint.
        log.error(
            "database error during the training of shard %d of job %s: %s", claim.number, claim.job_id, error.orig
        )
    return None

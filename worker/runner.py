"""How a shard is trained for the record: claim it, train, store chunk by chunk, end it."""

import logging
import time
from collections.abc import Callable
from typing import Any

import torch
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import PoolProxiedConnection

from service import shards
from service.database import Database
from service.decisions import write_decisions
from service.recording import stage
from service.settings import Settings
from service.shards import Claim, LeaseLost, Progress
from service.spec.job import JobSpec
from service.states import ShardStatus
from service.version import VERSION
from worker.engine.device import used_device
from worker.engine.trainer import Trainer
from worker.heartbeat import beating
from worker.plan import plan
from worker.recorder import Recorder, pack, unpack

# Rows that are kept in memory at most before they are stored, about 50 MB as Python's numbers on the way to SQLite.
MAX_CHUNK_ROWS = 150_000

log = logging.getLogger("ravine.runner")


def train_shard(database: Database, settings: Settings, job_key: int, number: int) -> None:
    """Train a shard if it waits for a worker; a message that comes late or twice finds nothing to do."""
    with database.transaction() as session:
        claim = shards.claim(session, job_key, number, lease_seconds=settings.lease_seconds, receipt=_receipt())
    if claim is None:
        return
    try:
        with beating(database, claim, settings.lease_seconds):
            _train(database, settings, claim)
    except LeaseLost as lost:
        log.warning("%s of job %s: another worker goes on", lost, claim.job_id)
    except OperationalError as error:
        # Not the job's fault: when the lease has run out, somebody goes on from the last checkpoint.
        log.error("the database failed while shard %d of job %s was trained: %s", number, claim.job_id, error.orig)
    except Exception as error:
        log.exception("training shard %d of job %s failed", number, claim.job_id)
        with database.transaction() as session:
            detail = f"{type(error).__name__}: {error}"[:2_000]
            shards.end(session, claim, ShardStatus.FAILED, reason="training_error", detail=detail)


def _train(database: Database, settings: Settings, claim: Claim) -> None:
    spec = JobSpec.model_validate(claim.spec)
    resumed = None if claim.checkpoint is None else unpack(claim.checkpoint)
    trainer = Trainer(plan(spec, claim.first_run, claim.num_runs), resumed)
    recorder = Recorder(trainer.fields, claim.first_run, claim.num_runs, spec.epochs, resumed)
    stored_at = time.monotonic()
    for epoch in trainer.run():
        recorder.add(epoch)
        if time.monotonic() - stored_at < settings.flush_seconds and recorder.num_rows < MAX_CHUNK_ROWS:
            continue
        checkpoint = pack({**trainer.checkpoint(), **recorder.arrays()})
        progress = recorder.take(checkpoint)
        with database.transaction(prepare=_staging(claim, progress)) as session:
            wanted = shards.record(session, claim, progress, lease_seconds=settings.lease_seconds)
            if not wanted:
                shards.end(session, claim, ShardStatus.CANCELLED)
        if not wanted:
            return
        stored_at = time.monotonic()
    progress, decided = recorder.take(None, ended=True), trainer.decisions()
    with database.transaction(prepare=_staging(claim, progress)) as session:
        shards.record(session, claim, progress, lease_seconds=settings.lease_seconds)
        if decided is not None:
            outcomes = progress.outcomes
            trained_R = outcomes.diverged_epoch_R < 0
            write_decisions(session, claim.job_key, spec.epochs, outcomes.index_R[trained_R], decided[trained_R])
        shards.end(session, claim, ShardStatus.COMPLETED)


def _staging(claim: Claim, progress: Progress) -> Callable[[PoolProxiedConnection], None]:
    return lambda connection: stage(connection, claim.job_key, progress.rows)


def _receipt() -> dict[str, Any]:
    return {
        "torch": torch.__version__,
        "version": VERSION,
        "threads": torch.get_num_threads(),
        "device": str(used_device()),
    }

"""Training of a claimed shard: storage chunk by chunk, and completion or handover."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.states import ShardStatus, Stop
from service.histories.decisions import write_decisions
from service.jobs import shards
from service.jobs.endings import TIMED_OUT
from service.jobs.messages import channel_of
from service.jobs.shards import Claim, LeaseLost
from service.jobs.specs import spec_of
from service.settings import Settings
from service.spec.price import BATCH
from service.spec.snapshots import snapshot_epochs
from worker import shutdown
from worker.data.known import known_of
from worker.data.loading import table_of
from worker.engine.trainer import Trainer
from worker.heartbeat import Heartbeat
from worker.plan import plan
from worker.plugins.installed import installed
from worker.recorder import Recorder, pack, unpack
from worker.snapshots import Snapshots
from worker.storing import store

# Most rows of a chunk: with 8 fields about 50 MB, as arrays and as the database from which SQLite copies.
MAX_CHUNK_ROWS = 150_000

# Shards that wait for messages: their channel and their number.
Waiting = tuple[str, int]

log = logging.getLogger("ravine.runner")


class Stopped(Exception):
    """The training must end before its last epoch; the argument is a Stop."""


class Training:
    """One attempt at a shard, from its claim to its end."""

    def __init__(self, database: Database, settings: Settings, claim: Claim, heartbeat: Heartbeat) -> None:
        self._database, self._settings, self._claim, self._heartbeat = database, settings, claim, heartbeat
        self._stored_at = time.monotonic()

    def run(self) -> Waiting | None:
        """Train to the last epoch, or until a reason to stop.

        Returns:
            What waits afterwards: the same shard, or the next shards of a job that decides.

        Raises:
            LeaseLost: A newer attempt owns the shard.
            OperationalError: The database was unavailable for too long.
        """
        began_at = time.monotonic()
        claim = self._claim
        spec = spec_of(claim)
        resumed = None if claim.checkpoint is None else unpack(claim.checkpoint)
        kinds = installed(self._settings.optimizers)
        table = table_of(spec, self._database)
        theory = known_of(spec, table, self._database)
        planned = plan(spec, claim.first_run, claim.num_runs, claim.chosen, kinds, table, theory)
        self._trainer = Trainer(planned, resumed, self._poll)
        self._recorder = Recorder(
            self._trainer.fields, claim.first_run, claim.num_runs, spec.epochs, resumed, maximize=spec.maximize
        )
        self._snapshots = Snapshots(snapshot_epochs(spec), resumed)
        self._heartbeat.prepared(time.monotonic() - began_at)
        try:
            for epoch in self._trainer.run():
                if epoch is not None:
                    self._recorder.add(epoch)
                    self._snapshots.take(epoch.number, self._trainer.weights)
                if self._heartbeat.handover is not None and self._trainer.epoch < spec.epochs:
                    raise Stopped(self._heartbeat.handover)
                if epoch is None or self._is_due():
                    self._store_chunk()
            return self._store_end(spec.epochs)
        except Stopped as stopped:
            queue = self._stop(stopped.args[0])
            return None if queue is None else (channel_of(queue, claim.kinds), 1)

    def _poll(self) -> bool:
        """Whether a checkpoint inside the epoch is due; raise Stopped to end the training at once.

        A handover waits for the checkpoint, so that every turn makes progress: an evaluation that is stopped is lost.
        """
        if self._heartbeat.stop is not None:
            raise Stopped(self._heartbeat.stop)
        if shutdown.is_requested():
            raise Stopped(Stop.SHUTDOWN)
        is_old = time.monotonic() - self._stored_at > self._settings.checkpoint_seconds
        return is_old or self._heartbeat.handover is not None

    def _is_due(self) -> bool:
        """Whether to store a chunk after an epoch; raise Stopped to end the training at once."""
        passed = time.monotonic() - self._stored_at
        return self._poll() or passed >= self._settings.flush_seconds or self._recorder.num_rows >= MAX_CHUNK_ROWS

    def _store_chunk(self, *, hand_over: str | None = None) -> None:
        """Store everything since the last chunk; with ``hand_over``, queue the shard there in the same transaction."""
        checkpoint = pack({**self._trainer.checkpoint(), **self._recorder.arrays(), **self._snapshots.arrays()})
        progress = self._recorder.take(checkpoint)

        def write(session: Session) -> None:
            shards.record(session, self._claim, progress, lease_seconds=self._settings.lease_seconds)
            if hand_over is not None:
                shards.give_back(session, self._claim, queue=hand_over)

        self._store(progress, write)
        self._stored_at = time.monotonic()

    def _store_end(self, epochs: int) -> Waiting | None:
        """Store the last chunk, mark the shard as completed, and give the shards that its job has queued."""
        progress, decided = self._recorder.take(None, ended=True), self._trainer.decisions()

        outcomes = progress.outcomes
        trained_R = outcomes.diverged_epoch_R < 0
        num_decisions = 0 if decided is None else int(trained_R.sum())
        weights_RED = self._snapshots.by_run(len(trained_R))
        waiting: Waiting | None = None

        def write(session: Session) -> None:
            nonlocal waiting
            lease_seconds = self._settings.lease_seconds
            sizes = {"decisions": num_decisions, "weights": weights_RED[0].nbytes}
            shards.record(session, self._claim, progress, lease_seconds=lease_seconds, **sizes)
            if decided is not None:
                of_trained = outcomes.index_R[trained_R], decided[trained_R], weights_RED[trained_R]
                write_decisions(session, self._claim.job_key, epochs, *of_trained)
            waiting = shards.end(session, self._claim, ShardStatus.COMPLETED, settings=self._settings)

        self._store(progress, write)
        return waiting

    def _store(self, progress: shards.Chunk, write: Callable[[Session], None]) -> None:
        def is_urgent() -> bool:
            return self._heartbeat.stop is not None

        store(self._database, self._settings, self._claim, progress, write, is_urgent=is_urgent)

    def _stop(self, why: Stop) -> str | None:
        """End a shard before its last epoch, and give the queue in which it waits again, if it does.

        Its trained epochs are stored, unless another attempt owns it.
        """
        if why is Stop.LOST:
            raise LeaseLost(f"attempt {self._claim.attempt} of shard {self._claim.number} is over")
        if why in (Stop.SHUTDOWN, Stop.TURN, Stop.OVERRUN):
            queue = BATCH if why is Stop.OVERRUN else self._claim.queue
            # A later beat would claim the shard back, and nobody would train it.
            self._heartbeat.cease()
            self._store_chunk(hand_over=queue)
            log.info("shard %d of job %s handed over: %s", self._claim.number, self._claim.job_id, why)
            return queue
        progress = self._recorder.take(None)

        def write(session: Session) -> None:
            shards.record(session, self._claim, progress, lease_seconds=self._settings.lease_seconds)
            if why is Stop.CANCELLED:
                shards.end(session, self._claim, ShardStatus.CANCELLED)
            else:
                shards.end(session, self._claim, ShardStatus.FAILED, reason="timeout", detail=TIMED_OUT)

        self._store(progress, write)
        return None

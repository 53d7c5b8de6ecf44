"""Storage of a chunk in a database that may be unavailable for a while: exactly once, with bounded memory."""

import logging
import time
from collections.abc import Callable
from functools import partial

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.outages import is_full
from service.database.writing import stage
from service.jobs import attempts, shards
from service.jobs.shards import Chunk, Claim
from service.settings import Settings
from worker import shutdown

# Shorter than the time for which the sweep spares leases that expired during an outage (AFTER_OUTAGE_SECONDS).
RETRY_SECONDS = 0.5

log = logging.getLogger("ravine.storing")


def store(
    database: Database,
    settings: Settings,
    claim: Claim,
    progress: Chunk | None,
    write: Callable[[Session], None],
    *,
    is_urgent: Callable[[], bool] = lambda: False,
) -> None:
    """Commit a chunk; retry while the database is unavailable. The training waits, so that memory is bounded.

    While the disk is full, the chunk waits without a limit. The last free bytes are for chunks that end a shard early.

    Args:
        database: The database.
        settings: The settings.
        claim: The claim of the shard.
        progress: The chunk.
        write: Stores this progress. If the progress is None or has no checkpoint, it also ends the shard.
        is_urgent: Whether the shard must stop, so that the chunk no longer waits for space.

    Raises:
        LeaseLost: A newer attempt owns the shard, or the shard has ended.
        OperationalError: The database was unavailable for longer than the settings allow, or the process must end.
    """
    checkpoint = None if progress is None else progress.checkpoint
    rows, outcomes = (None, None) if progress is None else (progress.rows, progress.outcomes)
    away_since: float | None = None
    while True:
        _wait_for_space(database, settings, claim, is_urgent)
        try:
            prepare = partial(stage, job_key=claim.job_key, rows=rows, outcomes=outcomes)
            with database.transaction(prepare=prepare) as session:
                if away_since is not None:
                    if attempts.has_stored(session, claim, checkpoint):
                        return
                    # The lease may have expired; it is renewed if no other worker has claimed the shard.
                    shards.beat(session, claim, lease_seconds=settings.lease_seconds)
                write(session)
            return
        except OperationalError as error:
            now = time.monotonic()
            if away_since is None:
                away_since = now
                log.warning("database unavailable; shard %d waits: %s", claim.number, error.orig)
            # A full disk is no outage: its chunk would be lost, and trained again without an end.
            gives_up = now - away_since >= settings.database_wait_seconds and not is_full(error)
            if gives_up or shutdown.is_overdue(settings.leave_seconds):
                raise
        time.sleep(min(RETRY_SECONDS, settings.look_seconds))


def _wait_for_space(database: Database, settings: Settings, claim: Claim, is_urgent: Callable[[], bool]) -> None:
    """Wait while less space is free than the settings reserve. The heartbeat renews the lease meanwhile."""
    has_warned = False
    while (reason := database.why_full()) is not None:
        if is_urgent() or shutdown.is_requested():
            return
        if not has_warned:
            log.warning("shard %d waits: %s", claim.number, reason)
            has_warned = True
        time.sleep(min(RETRY_SECONDS, settings.look_seconds))
    if has_warned:
        log.info("shard %d goes on", claim.number)

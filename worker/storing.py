"""Storage of a chunk in a database that may be unavailable for a while: exactly once, with bounded memory."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.database.connection import Database
from service.database.writing import stage
from service.jobs import shards
from service.jobs.shards import Chunk, Claim
from service.settings import Settings
from worker import shutdown

# Shorter than the time for which the sweep spares leases that expired during an outage (AFTER_OUTAGE_SECONDS).
RETRY_SECONDS = 0.5

log = logging.getLogger("ravine.storing")


def store(
    database: Database, settings: Settings, claim: Claim, progress: Chunk | None, write: Callable[[Session], None]
) -> None:
    """Commit a chunk; retry while the database is unavailable. The training waits, so that memory is bounded.

    ``write`` stores this progress. If the progress is None or has no checkpoint, ``write`` also ends the shard.

    Raises:
        LeaseLost: A newer attempt owns the shard, or the shard has ended.
        OperationalError: The database was unavailable for longer than the settings allow, or the process must end.
    """
    checkpoint = None if progress is None else progress.checkpoint
    rows = None if progress is None else progress.rows
    away_since: float | None = None
    while True:
        try:
            with database.transaction(prepare=lambda connection: stage(connection, claim.job_key, rows)) as session:
                if away_since is not None:
                    if shards.has_stored(session, claim, checkpoint):
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
            if now - away_since >= settings.database_wait_seconds or shutdown.is_overdue(settings.leave_seconds):
                raise
        time.sleep(min(RETRY_SECONDS, settings.look_seconds))

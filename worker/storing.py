"""Storage of a chunk in a database that may be away for a while: exactly once, with bounded memory."""

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

# Often enough to be quicker than a sweep, which leaves a lease that an outage let run out alone for some seconds.
RETRY_SECONDS = 0.5

log = logging.getLogger("ravine.storing")


def store(
    database: Database, settings: Settings, claim: Claim, progress: Chunk | None, write: Callable[[Session], None]
) -> None:
    """Commit a chunk, trying again while the database is away. Nothing is trained meanwhile, so that memory is bounded.

    ``write`` stores this progress; without a checkpoint, or without any, it ends the shard.

    Raises:
        LeaseLost: A newer attempt owns the shard, or it has ended.
        OperationalError: The database was away for longer than the settings allow, or this process has to end.
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
                    # The lease may have run out meanwhile, and may be taken up again where nobody else did.
                    shards.beat(session, claim, lease_seconds=settings.lease_seconds)
                write(session)
            return
        except OperationalError as error:
            now = time.monotonic()
            if away_since is None:
                away_since = now
                log.warning("the database is away, shard %d waits for it: %s", claim.number, error.orig)
            if now - away_since >= settings.database_wait_seconds or shutdown.is_overdue(settings.leave_seconds):
                raise
        time.sleep(min(RETRY_SECONDS, settings.look_seconds))

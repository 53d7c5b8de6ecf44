"""How does a worker show that it is alive while one epoch takes longer than a lease?"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from service import shards
from service.database import Database
from service.shards import Claim, LeaseLost

# Two beats may be lost before the lease is.
BEATS_PER_LEASE = 3

log = logging.getLogger("ravine.heartbeat")


@contextmanager
def beating(database: Database, claim: Claim, lease_seconds: float) -> Iterator[None]:
    """Renew the lease of a shard from a thread, for as long as the block takes."""
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(lease_seconds / BEATS_PER_LEASE):
            try:
                with database.transaction() as session:
                    shards.beat(session, claim, lease_seconds=lease_seconds)
            except LeaseLost:
                return  # The trainer finds out when it stores its next chunk.
            except Exception as error:
                log.warning("the lease of shard %d could not be renewed, trying again: %s", claim.number, error)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()

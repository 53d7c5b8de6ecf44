"""Cumulative counters shared by all workers, incremented in the transaction that stores what is counted.

A counter has several rows, one per slot, and each process adds to one of them. Transactions therefore rarely wait for
the lock of a row, and the number of rows is bounded.
"""

import os
from collections.abc import Mapping

from sqlalchemy.orm import Session

from service.database.statements import upsert
from service.database.tables import Tally

TALLIES: Mapping[str, str] = {
    "run_epochs": "Epochs trained and stored, over all runs.",
    "rows": "Metric rows stored.",
    "leases_lost": "Leases that expired because their worker was lost.",
    "shards_retried": "Shards claimed again after a worker was lost.",
    "shards_handed_over": "Shards that a worker handed over: at the end of a turn or budget, or at a shutdown.",
}
SLOTS = 16
# Processes that start together have consecutive ids, and so different slots.
SLOT = os.getpid() % SLOTS


def add(session: Session, **counts: int) -> None:
    """Add to counters. Rows are locked in the order of the names, so that transactions cannot deadlock."""
    unknown = counts.keys() - TALLIES.keys()
    assert not unknown, unknown
    rows = [{"name": name, "slot": SLOT, "value": count} for name, count in sorted(counts.items()) if count > 0]
    if rows:
        upsert(session, Tally, rows, key=("name", "slot"), add=("value",))

"""Cumulative counters shared by all workers, incremented in the transaction that stores what is counted.

A counter has several slots, and each process adds to one of them: transactions rarely wait for each other's row,
and the number of rows is bounded.
"""

import os
from collections.abc import Mapping

from sqlalchemy.orm import Session

from service.database.statements import upsert
from service.database.tables import Tally

TALLIES: Mapping[str, str] = {
    "run_epochs": "Epochs trained, over all runs, as they were stored.",
    "rows": "Metric rows stored.",
    "leases_lost": "Workers that fell silent with a shard in hand: their lease ran out.",
    "shards_retried": "Shards that a worker took up again, after a lost worker or one that handed over.",
}
SLOTS = 16
# Process ids of neighbours differ by little.
_SLOT = os.getpid() % SLOTS


def add(session: Session, **counts: int) -> None:
    """Add to counters. Rows are locked in the order of the names, so that two transactions cannot wait in a ring."""
    unknown = counts.keys() - TALLIES.keys()
    assert not unknown, unknown
    rows = [{"name": name, "slot": _SLOT, "value": count} for name, count in sorted(counts.items()) if count > 0]
    if rows:
        upsert(session, Tally, rows, key=("name", "slot"), add=("value",))

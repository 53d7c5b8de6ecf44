"""How are a run's rows found by their epochs?

On SQLite by the primary key. On PostgreSQL by an index that has one entry for 64 epochs of a run and takes a seventh of
a primary key's bytes: a condition on epochs needs the same one on blocks beside it, or all rows of the run are read.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, literal_column

BLOCK_BITS = 6


def block_of(epoch: str) -> str:
    """Write the block of an epoch in SQL, as the index has it."""
    return f"({epoch} >> {BLOCK_BITS})"


_EPOCH = literal_column("metrics.epoch", Integer)
_BLOCK = literal_column(block_of("metrics.epoch"), Integer)


def within(first: int, last: int | None = None) -> list[ColumnElement[bool]]:
    """Limit rows of metrics to the epochs from one to another, both of them included."""
    limits = [first <= _EPOCH, first >> BLOCK_BITS <= _BLOCK]
    return limits if last is None else [*limits, last >= _EPOCH, last >> BLOCK_BITS >= _BLOCK]


def among(epochs: Sequence[int]) -> list[ColumnElement[bool]]:
    """Limit rows of metrics to these epochs."""
    return [_EPOCH.in_(epochs), _BLOCK.in_(sorted({epoch >> BLOCK_BITS for epoch in epochs}))]

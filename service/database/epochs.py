"""Conditions on the epochs of metric rows.

SQLite finds rows by the primary key. PostgreSQL has an index with one entry for 64 epochs of a run, a block, in a
seventh of the bytes of a primary key: it needs each condition on epochs also on blocks, or reads all rows of the run.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, literal_column

BLOCK_BITS = 6


def block_of(epoch: str) -> str:
    """Write the block of an epoch in SQL, as the index has it."""
    return f"({epoch} >> {BLOCK_BITS})"


_epoch = literal_column("metrics.epoch", Integer)
_block = literal_column(block_of("metrics.epoch"), Integer)


def within(first: int, last: int | None) -> list[ColumnElement[bool]]:
    """Limit rows of metrics to the epochs from one to another, both of them included, or from one on."""
    limits = [_epoch >= first, _block >= first >> BLOCK_BITS]
    return limits if last is None else [*limits, _epoch <= last, _block <= last >> BLOCK_BITS]


def among(epochs: Sequence[int]) -> list[ColumnElement[bool]]:
    """Limit rows of metrics to these epochs."""
    return [_epoch.in_(epochs), _block.in_(sorted({epoch >> BLOCK_BITS for epoch in epochs}))]

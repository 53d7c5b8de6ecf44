"""Conditions on the epochs of metric rows.

SQLite finds rows by the primary key. PostgreSQL has an index with one entry per 64 epochs of a run, called a block; it
has a seventh of the size of a primary key. Each condition on epochs therefore includes a condition on blocks; without
it PostgreSQL would read all rows of the run.
"""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, literal_column

BLOCK_BITS = 6


def block_of(epoch: str) -> str:
    """Write the block of an epoch in SQL, as in the index."""
    return f"({epoch} >> {BLOCK_BITS})"


_epoch = literal_column("metrics.epoch", Integer)
_block = literal_column(block_of("metrics.epoch"), Integer)


def within(first: int, last: int | None) -> list[ColumnElement[bool]]:
    """Write the condition for epochs from one to another, both included, or from one on."""
    limits = [_epoch >= first, _block >= first >> BLOCK_BITS]
    return limits if last is None else [*limits, _epoch <= last, _block <= last >> BLOCK_BITS]


def among(epochs: Sequence[int]) -> list[ColumnElement[bool]]:
    """Write the condition for a list of epochs."""
    return [_epoch.in_(epochs), _block.in_(sorted({epoch >> BLOCK_BITS for epoch in epochs}))]

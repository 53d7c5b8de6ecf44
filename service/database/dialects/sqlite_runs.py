"""Rows of ``runs`` of SQLite in bulk: through a database in memory (sqlite_image.py), or row by row if they are few."""

import sqlite3
from typing import Any

import numpy as np
from sqlalchemy.pool import PoolProxiedConnection

from service.database.bulk import Outcomes
from service.database.dialects import sqlite_image
from service.database.dialects.sqlite_rows import FEW_ROWS, HAS_IMAGES, NAN
from service.database.states import RunStatus

_STAGED = "staged_runs"
_CODES = {str(status): code for code, status in enumerate(RunStatus)}
_LOW_BITS = 2**32 - 1


def attach(connection: sqlite3.Connection) -> None:
    """Give a new connection its database in memory."""
    if HAS_IMAGES:
        connection.execute(f"ATTACH ':memory:' AS {_STAGED}")


def stage(connection: PoolProxiedConnection, outcomes: Outcomes) -> None:
    """Pack rows into the database of the connection, which has no transaction.

    The image has integers of four bytes: a code for the status, −1 for no epoch, and two halves of the digest.
    """
    if not HAS_IMAGES or not FEW_ROWS <= len(outcomes.index_R) <= sqlite_image.MAX_ROWS:
        return
    digest_R = outcomes.history_digest_R.view(np.int64)
    integers_R = [
        outcomes.index_R,
        np.array([_CODES[status] for status in outcomes.status]),
        outcomes.epochs_done_R,
        outcomes.best_epoch_R,
        outcomes.diverged_epoch_R,
        digest_R >> 32,
        (digest_R & _LOW_BITS).astype(np.uint32).view(np.int32).astype(np.int64),
    ]
    numbers = outcomes.numbers().values()
    values_CR, known_CR = np.array([values_R for values_R, _ in numbers]), np.array([known_R for _, known_R in numbers])
    opened: Any = connection.driver_connection
    opened.deserialize(sqlite_image.pack(integers_R, values_CR, known_CR), name=_STAGED)
    connection.info[_STAGED] = outcomes


def write(connection: PoolProxiedConnection, job_key: int, outcomes: Outcomes) -> None:
    """Insert or update the rows: those that were staged by one statement, others one by one, by primary key."""
    cursor: Any = connection.cursor()
    # Rows that another transaction has staged and not written are not copied.
    if connection.info.pop(_STAGED, None) is outcomes:
        copied = _copied(outcomes)
        # SQLite would read "FROM … ON CONFLICT" as a join.
        selected = ", ".join([f"{job_key:d}", "c0", *copied.values()])
        rows = f"SELECT {selected} FROM {_STAGED}.{sqlite_image.TABLE} WHERE true"  # noqa: S608
        cursor.execute(_upsert(list(copied), rows))
        return
    columns = outcomes.columns(NAN)
    rows = f"VALUES ({job_key:d}, {', '.join('?' * (1 + len(columns)))})"
    cursor.executemany(_upsert(list(columns), rows), zip(outcomes.index_R.tolist(), *columns.values(), strict=True))


def _copied(outcomes: Outcomes) -> dict[str, str]:
    """The columns of ``runs`` as expressions of those of the image."""
    statuses = " ".join(f"WHEN {code} THEN '{status}'" for status, code in _CODES.items())
    numbers = {name: f"c{at}" for at, name in enumerate(outcomes.numbers(), start=7)}
    return {
        "status": f"CASE c1 {statuses} END",
        "epochs_done": "c2",
        "best_epoch": "nullif(c3, -1)",
        "diverged_epoch": "nullif(c4, -1)",
        **numbers,
        # Runs without rows have neither an area nor a digest.
        "history_digest": f"iif({numbers['loss_area']} IS NULL, NULL, (c5 << 32) | (c6 & {_LOW_BITS}))",
    }


def _upsert(names: list[str], rows: str) -> str:
    changes = ", ".join(f"{name} = excluded.{name}" for name in names)
    return (
        f'INSERT INTO runs (job_key, "index", {", ".join(names)}) {rows} '
        f'ON CONFLICT (job_key, "index") DO UPDATE SET {changes}'
    )

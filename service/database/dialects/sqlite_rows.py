"""Rows of SQLite in bulk: through databases in memory (sqlite_image.py), or value by value if they are few.

A connection has two databases in memory. One is packed by numpy before a transaction, which then copies its rows in a
third of the time that values in parameters take. Into the other one SQLite copies what a query finds.
"""

import sqlite3
from collections.abc import Sequence
from itertools import chain, islice
from typing import Any

import numpy as np
from sqlalchemy.pool import PoolProxiedConnection

from service.database.bulk import Bools, Floats, Integers, MetricRows
from service.database.dialects import sqlite_image
from service.database.dialects.sqlite_unpack import unpack

# SQLite stores the float NaN as NULL. The text sorts above all numbers, as NaN does on PostgreSQL.
NAN = "NaN"
# Fewer rows are written and read in less time value by value.
FEW_ROWS = 250
# A row takes 0.75 µs in statements of 40, and 1.2 µs in a statement of its own. A statement may have 999 parameters.
ROWS_PER_INSERT = 40
# Pages of what a query finds: a small one is short, too.
PAGE_BYTES = 16_384
# A build of SQLite may lack databases as bytes.
HAS_IMAGES = hasattr(sqlite3.Connection, "deserialize")
_STAGED, _FOUND = "staged", "found"


def attach(connection: sqlite3.Connection) -> None:
    """Give a new connection its databases in memory."""
    if HAS_IMAGES:
        for name in (_STAGED, _FOUND):
            connection.execute(f"ATTACH ':memory:' AS {name}")


def stage(connection: PoolProxiedConnection, rows: MetricRows) -> None:
    """Pack rows into a database of the connection, which has no transaction."""
    if HAS_IMAGES and FEW_ROWS <= len(rows.epoch_N) <= sqlite_image.MAX_ROWS:
        image = sqlite_image.pack([rows.run_index_N, rows.epoch_N], rows.values_FN, rows.measured_FN)
        opened: Any = connection.driver_connection
        opened.deserialize(image, name=_STAGED)
        connection.info[_STAGED] = rows


def write(connection: PoolProxiedConnection, job_key: int, rows: MetricRows) -> None:
    """Copy the rows that were staged, or insert them."""
    columns = f"job_key, run_index, epoch, {', '.join(rows.fields)}"
    # Rows that another transaction has staged and not written are not copied.
    if connection.info.pop(_STAGED, None) is rows:
        copied = f"SELECT {job_key:d}, * FROM {_STAGED}.{sqlite_image.TABLE}"  # noqa: S608
        connection.cursor().execute(f"INSERT INTO metrics ({columns}) {copied}")
        return
    num_columns = 2 + len(rows.fields)
    values_NC = np.empty((len(rows.epoch_N), num_columns), dtype=object)
    values_NC[:, 0], values_NC[:, 1] = rows.run_index_N, rows.epoch_N
    for at, (values_N, measured_N) in enumerate(zip(rows.values_FN, rows.measured_FN, strict=True), start=2):
        values_NC[:, at] = values_N
        values_NC[np.isnan(values_N), at] = NAN
        values_NC[~measured_N, at] = None
    row = f"({job_key:d}, {', '.join('?' * num_columns)})"
    insert = f"INSERT INTO metrics ({columns}) VALUES "  # noqa: S608
    whole = len(values_NC) // ROWS_PER_INSERT * ROWS_PER_INSERT
    together = values_NC[:whole].reshape(-1, ROWS_PER_INSERT * num_columns)
    cursor = connection.cursor()
    cursor.executemany(insert + ", ".join([row] * ROWS_PER_INSERT), together.tolist())
    cursor.executemany(insert + row, values_NC[whole:].tolist())


def read(
    connection: sqlite3.Connection, integers: Sequence[str], floats: Sequence[str], rest: str
) -> tuple[Integers, Floats, Bools]:
    """Run ``SELECT integers, floats rest``. A query with many rows runs again, into the database in memory."""
    # NULL comes as the text of a NaN with a sign, which no stored NaN has.
    selected = [*integers, *(f"ifnull({name}, '-nan')" for name in floats)]
    rows = connection.execute(f"SELECT {', '.join(selected)} {rest}")
    first = list(islice(rows, FEW_ROWS))
    if len(first) == FEW_ROWS and HAS_IMAGES and not connection.in_transaction:
        rows.close()
        return _read_at_once(connection, integers, floats, rest)
    # Not as a list: rows that stay alive trigger the garbage collector.
    numbers_N = np.fromiter(chain.from_iterable(chain(first, rows)), dtype=np.float64)
    numbers_NC = numbers_N.reshape(-1, len(selected))
    floats_CN = np.ascontiguousarray(numbers_NC[:, len(integers) :].T)
    null_CN = np.isnan(floats_CN) & np.signbit(floats_CN)
    return numbers_NC[:, : len(integers)].T.astype(np.int64), floats_CN, null_CN


def _read_at_once(
    connection: sqlite3.Connection, integers: Sequence[str], floats: Sequence[str], rest: str
) -> tuple[Integers, Floats, Bools]:
    # As numbers of eight bytes, so that all rows have the same size.
    selected = [*(f"CAST({name} AS REAL)" for name in integers), *floats]
    connection.deserialize(sqlite_image.empty(len(selected), PAGE_BYTES), name=_FOUND)
    connection.execute(f"INSERT INTO {_FOUND}.{sqlite_image.TABLE} SELECT {', '.join(selected)} {rest}")
    found = connection.serialize(name=_FOUND)
    # Frees the memory of the rows.
    connection.deserialize(sqlite_image.empty(len(selected), PAGE_BYTES), name=_FOUND)
    values_CN, null_CN = unpack(found, len(selected))
    num = len(integers)
    return values_CN[:num].astype(np.int64), values_CN[num:], null_CN[num:]

"""How a worker's rows get into the database: in bulk, by the fastest road each database has.

PostgreSQL takes a binary COPY, laid out by numpy. SQLite takes an executemany on the driver's own cursor, into a table
of the connection's own first: the copy from there holds the one lock that all writers wait for a third as long.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from service.database.epochs import block_of

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# The signature, no flags, no header extension: PostgreSQL's manual, "COPY", binary format.
_COPY_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_COPY_TRAILER = b"\xff\xff"
# Measured: a row takes 0.75 µs in statements of 40, and 1.2 in one of its own. A statement may have 999 parameters.
_ROWS_PER_INSERT = 40
_STAGED = "rows in temp.staged_metrics"


@dataclass(frozen=True)
class MetricRows:
    """N metrics rows, sorted by run and epoch. A value that was not measured is stored as NULL, whatever it is."""

    fields: tuple[str, ...]
    run_index_N: Integers
    epoch_N: Integers
    values_FN: Floats
    measured_FN: NDArray[np.bool_]


@dataclass(frozen=True)
class Outcomes:
    """What has become of R runs so far. NaN stands for itself; best_epoch and diverged_epoch are −1 for none."""

    index_R: Integers
    status: Sequence[str]
    epochs_done_R: Integers
    final_loss_R: Floats
    best_loss_R: Floats
    best_epoch_R: Integers
    diverged_epoch_R: Integers


class StoredTwice(Exception):
    """A row of this run and epoch is stored already."""


def write_rows(session: Session, job_key: int, rows: MetricRows) -> None:
    """Insert metrics rows; fast on SQLite where ``stage`` got the same rows before the transaction began.

    Raises:
        StoredTwice: Some of them are there.
    """
    if session.get_bind().dialect.name == "postgresql":
        _copy(session, job_key, rows)
        return
    connection = session.connection().connection
    cursor = connection.cursor()
    try:
        if connection.info.pop(_STAGED, None) is not rows:
            _executemany(cursor, "metrics", job_key, rows)
            return
        # Between two tables of one definition SQLite copies records as they are, if nothing but * is asked for.
        cursor.execute("INSERT INTO metrics SELECT * FROM temp.staged_metrics")
        cursor.execute("DELETE FROM temp.staged_metrics")
    except sqlite3.IntegrityError as error:
        raise StoredTwice(str(error)) from error


def stage(connection: PoolProxiedConnection, job_key: int, rows: MetricRows | None) -> None:
    """Bring rows near their table before a transaction begins, where that shortens it: on SQLite."""
    if rows is None or not isinstance(connection.driver_connection, sqlite3.Connection):
        return
    cursor = connection.cursor()
    if not cursor.execute("SELECT 1 FROM sqlite_temp_master WHERE name = 'staged_metrics'").fetchone():
        (definition,) = cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'metrics'").fetchone()
        cursor.execute(definition.replace("CREATE TABLE metrics", "CREATE TEMP TABLE staged_metrics", 1))
    cursor.execute("BEGIN")
    # A transaction that was rolled back has left its rows here.
    cursor.execute("DELETE FROM temp.staged_metrics")
    _executemany(cursor, "temp.staged_metrics", job_key, rows)
    cursor.execute("COMMIT")
    connection.info[_STAGED] = rows


def _executemany(cursor: Any, table: str, job_key: int, rows: MetricRows) -> None:
    num_columns = 2 + len(rows.fields)
    values_NC = np.empty((len(rows.epoch_N), num_columns), dtype=object)
    values_NC[:, 0], values_NC[:, 1] = rows.run_index_N, rows.epoch_N
    for at, (values_N, measured_N) in enumerate(zip(rows.values_FN, rows.measured_FN, strict=True), start=2):
        values_NC[:, at] = values_N
        values_NC[np.isnan(values_N), at] = "NaN"
        values_NC[~measured_N, at] = None
    row = f"({int(job_key)}, {', '.join('?' * num_columns)})"
    # Names are columns of ours, never a user's text.
    insert = f"INSERT INTO {table} (job_key, run_index, epoch, {', '.join(rows.fields)}) VALUES "  # noqa: S608
    whole = len(values_NC) // _ROWS_PER_INSERT * _ROWS_PER_INSERT
    together = values_NC[:whole].reshape(-1, _ROWS_PER_INSERT * num_columns)
    cursor.executemany(insert + ", ".join([row] * _ROWS_PER_INSERT), together.tolist())
    cursor.executemany(insert + row, values_NC[whole:].tolist())


def _copy(session: Session, job_key: int, rows: MetricRows) -> None:
    """Insert by binary COPY. A row's layout is fixed once its NULLs are: one COPY for each set of measured fields."""
    _refuse_what_is_there(session, job_key, rows)
    pattern_N = (1 << np.arange(len(rows.fields))) @ rows.measured_FN
    for pattern in np.unique(pattern_N).tolist():
        chosen_N = pattern_N == pattern
        fields = [(at, name) for at, name in enumerate(rows.fields) if pattern >> at & 1]
        keys = {"job_key": (">i8", 8, job_key), "run_index": (">i4", 4, rows.run_index_N[chosen_N]),
                "epoch": (">i4", 4, rows.epoch_N[chosen_N])}  # fmt: skip
        columns = keys | {name: (">f8", 8, rows.values_FN[at, chosen_N]) for at, name in fields}
        layout = [("num_fields", ">i2")]
        for name, (kind, _, _) in columns.items():
            layout += [(f"{name}.size", ">i4"), (name, kind)]
        block = np.empty(int(chosen_N.sum()), dtype=layout)
        block["num_fields"] = len(columns)
        for name, (_, size, values) in columns.items():
            block[f"{name}.size"], block[name] = size, values
        with (
            _cursor(session) as cursor,
            cursor.copy(f"COPY metrics ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as copy,
        ):
            copy.write(_COPY_HEADER + block.tobytes() + _COPY_TRAILER)


def _refuse_what_is_there(session: Session, job_key: int, rows: MetricRows) -> None:
    """Do what no constraint does on PostgreSQL. The rows of a run only ever grow in one direction: its first one tells.

    Nobody else writes rows of this shard at the time; the transaction holds its row.
    """
    run, epoch = int(rows.run_index_N[0]), int(rows.epoch_N[0])
    later = f"run_index = {run} AND {block_of('epoch')} >= {block_of(str(epoch))} AND epoch >= {epoch}"
    with _cursor(session) as cursor:
        cursor.execute(f"SELECT FROM metrics WHERE job_key = {int(job_key)} AND {later} LIMIT 1")
        if cursor.fetchone() is not None:
            raise StoredTwice(f"run {run} has rows of epoch {epoch} or later")


def write_outcomes(session: Session, job_key: int, outcomes: Outcomes) -> None:
    """Update the runs of a shard."""
    postgresql = session.get_bind().dialect.name == "postgresql"
    number = (lambda values: values.tolist()) if postgresql else sqlite_values
    final_loss: list[Any] = number(outcomes.final_loss_R)
    # A run whose loss was no number would have diverged: this one has no row yet.
    for at in np.flatnonzero(np.isnan(outcomes.final_loss_R) & (outcomes.diverged_epoch_R < 0)).tolist():
        final_loss[at] = None
    columns = [
        list(outcomes.status),
        outcomes.epochs_done_R.tolist(),
        final_loss,
        [
            None if epoch < 0 else loss
            for epoch, loss in zip(outcomes.best_epoch_R.tolist(), number(outcomes.best_loss_R), strict=True)
        ],
        [None if epoch < 0 else epoch for epoch in outcomes.best_epoch_R.tolist()],
        [None if epoch < 0 else epoch for epoch in outcomes.diverged_epoch_R.tolist()],
        outcomes.index_R.tolist(),
    ]
    names = ("status", "epochs_done", "final_loss", "best_loss", "best_epoch", "diverged_epoch")
    if postgresql:
        assignments = ", ".join(f"{name} = new.{name}" for name in names)
        with _cursor(session) as cursor:
            cursor.execute(
                f"UPDATE runs SET {assignments} FROM unnest(%s::text[], %s::int[], %s::float8[], %s::float8[], "  # noqa: S608
                f"%s::int[], %s::int[], %s::int[]) AS new ({', '.join(names)}, index) "
                f"WHERE runs.job_key = {int(job_key)} AND runs.index = new.index",
                columns,
            )
    else:
        assignments = ", ".join(f"{name} = ?" for name in names)
        _cursor(session).executemany(
            f'UPDATE runs SET {assignments} WHERE job_key = {int(job_key)} AND "index" = ?',  # noqa: S608
            zip(*columns, strict=True),
        )


def sqlite_values(values_N: Floats) -> list[Any]:
    """Give numbers as SQLite can keep them: a NaN, which it would store as NULL, as the text 'NaN'."""
    values: list[Any] = values_N.tolist()
    for at in np.flatnonzero(np.isnan(values_N)).tolist():
        values[at] = "NaN"
    return values


def _cursor(session: Session) -> Any:
    """Give the driver's own cursor, inside the session's transaction."""
    return session.connection().connection.cursor()

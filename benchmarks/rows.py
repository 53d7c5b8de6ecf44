"""Rate of rows that a worker stores, relative to what the database takes raw, and the time of a thinned history.

Raw are values that are ready in memory, in the order of their key: on SQLite in parameters of statements with 40 rows
each, on PostgreSQL as the bytes of a binary COPY. Transactions have as many rows as those of workers.
"""

from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks import stored
from benchmarks.stored import FIELDS
from benchmarks.timing import Timer, repeat
from service.database.connection import Database
from service.database.dialects.binary_copy import FLOAT8, INT4, INT8, pack
from service.database.dialects.sqlite_rows import ROWS_PER_INSERT
from service.database.ids import run_id
from worker.training import MAX_CHUNK_ROWS

# Rows of each of 1,000 runs: one transaction, and seven of which the later ones add rows between those of earlier ones.
NUM_RUNS, NUM_ROWS = 1_000, {"short histories": 150, "long histories": 1_000}
LONG_ROWS, MAX_POINTS = 1_000_000, 1_000
# Each is measured after the other so many times, and the fastest counts.
ROUNDS = 3
# No job has this key.
RAW_JOB = 1_000_000


def measure() -> dict[str, Any]:
    """Measure both databases."""
    figures: dict[str, Any] = {}
    for name, open_database in (("SQLite", stored.sqlite), ("PostgreSQL", stored.postgresql)):
        with open_database() as database:
            figures |= _written(name, database)
    with stored.sqlite() as database:
        job = stored.write(database, stored.draw(LONG_ROWS, 1)).job
        with stored.api(database) as (client, _):
            path = f"/v1/runs/{run_id(job.id, 0)}/metrics?fields={','.join(FIELDS)}"
            thinned = min(repeat(lambda: _read(client, f"{path}&max_points={MAX_POINTS}"), ROUNDS))
            figures["SQLite: one run of 1,000,000 rows thinned to 1,000 points (s)"] = thinned
    return figures


def _written(name: str, database: Database) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    send = _statements if database.file else _copies
    raw, written = 0.0, dict.fromkeys(NUM_ROWS, 0.0)
    for number in range(ROUNDS):
        raw = max(raw, send(database, RAW_JOB + number))
        for what, num_rows in NUM_ROWS.items():
            one = stored.write(database, stored.draw(num_rows, NUM_RUNS))
            written[what] = max(written[what], one.num_values / len(FIELDS) / one.seconds)
    figures[f"{name}: rows of 8 fields per second, raw"] = raw
    for what, rate in written.items():
        figures[f"{name}: rows of 8 fields per second, {what} of 1,000 runs by a worker"] = rate
        figures[f"{name}: {what}, share of the raw rate (%)"] = 100 * rate / raw
    return figures


def _statements(database: Database, job_key: int) -> float:
    """Give the rows per second of one transaction on SQLite."""
    values_FN, run_N, epoch_N = _rows()
    columns = [run_N.tolist(), epoch_N.tolist(), *values_FN.tolist()]
    flat = [value for row in zip(*columns, strict=True) for value in row]
    width = ROWS_PER_INSERT * len(columns)
    rows = [flat[at : at + width] for at in range(0, len(flat), width)]
    row = f"({job_key:d}, {', '.join('?' * len(columns))})"
    insert = f"INSERT INTO metrics (job_key, run_index, epoch, {', '.join(FIELDS)}) VALUES "
    insert += ", ".join([row] * ROWS_PER_INSERT)
    return _per_second(database, lambda cursor: cursor.executemany(insert, rows))


def _copies(database: Database, job_key: int) -> float:
    """Give the rows per second of one transaction on PostgreSQL."""
    values_FN, run_N, epoch_N = _rows()
    columns: dict[str, tuple[str, Any]] = {"job_key": (INT8, job_key), "run_index": (INT4, run_N)}
    columns |= {"epoch": (INT4, epoch_N)}
    columns |= {name: (FLOAT8, values_N) for name, values_N in zip(FIELDS, values_FN, strict=True)}
    data = pack(len(run_N), columns)

    def copy(cursor: Any) -> None:
        with cursor.copy(f"COPY metrics ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)") as opened:
            opened.write(data)

    return _per_second(database, copy)


def _rows() -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    per_run = MAX_CHUNK_ROWS // NUM_RUNS
    values_FN = np.random.default_rng(0).random((len(FIELDS), MAX_CHUNK_ROWS))
    return values_FN, np.repeat(np.arange(NUM_RUNS), per_run), np.tile(np.arange(per_run), NUM_RUNS)


def _per_second(database: Database, write: Callable[[Any], object]) -> float:
    with Timer() as timer, database.transaction() as session:
        cursor = session.connection().connection.driver_connection.cursor()  # type: ignore[union-attr]
        write(cursor)
        cursor.close()
    return MAX_CHUNK_ROWS / timer.seconds


def _read(client: httpx.Client, path: str) -> None:
    history = client.get(path).raise_for_status().json()
    assert history["total_points"] == LONG_ROWS, "rows are missing"

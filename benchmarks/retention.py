"""Rates of deleting old rows on PostgreSQL, by expiry and by dropping partitions; used by the benchmark `scale`."""

from typing import Any

from sqlalchemy import text

from benchmarks import stored
from benchmarks.timing import Timer
from service.database.connection import Database
from service.jobs import lifecycle
from service.settings import Settings

NUM_EXPIRED, ROWS_EACH = 200, 62
NUM_RUNS, NUM_ROWS = 1_000, 500
# Statements that partition the table, here with one job per partition.
PARTITIONED = (
    "ALTER TABLE metrics RENAME TO metrics_before",
    "CREATE TABLE metrics (LIKE metrics_before INCLUDING DEFAULTS) PARTITION BY RANGE (job_key)",
    "CREATE INDEX ON metrics (job_key, run_index, (epoch >> 6))",
    "CREATE TABLE metrics_1 PARTITION OF metrics FOR VALUES FROM (1) TO (2)",
    "CREATE TABLE metrics_2 PARTITION OF metrics FOR VALUES FROM (2) TO (3)",
    "CREATE TABLE metrics_3 PARTITION OF metrics FOR VALUES FROM (3) TO (4)",
)


def measure() -> dict[str, Any]:
    """Measure expiry, and deletion with and without partitions."""
    with stored.postgresql() as database:
        figures = _expiry(database)
    with stored.postgresql() as database:
        figures |= _rows(database, "one table")
    with stored.postgresql() as database:
        for statement in PARTITIONED:
            _execute(database, statement)
        return figures | _rows(database, "partitions")


def _expiry(database: Database) -> dict[str, Any]:
    for _ in range(NUM_EXPIRED):
        stored.write(database, stored.draw(ROWS_EACH // 2, 2))
    _execute(database, "UPDATE jobs SET expires_at = finished_at - interval '1 day'")
    removed, calls = 0, 0
    with Timer() as timer:
        while removed < NUM_EXPIRED:
            with database.transaction() as session:
                removed += lifecycle.remove_expired(session)
            calls += 1
    seconds = timer.seconds / calls
    pause = Settings().sweep_seconds
    return {
        "expiry: jobs in one sweep": removed / calls,
        "expiry: one sweep (ms)": 1_000 * seconds,
        "expiry: small jobs per second, one process that sweeps": removed / calls / (seconds + pause),
    }


def _rows(database: Database, what: str) -> dict[str, Any]:
    values = stored.draw(NUM_ROWS, NUM_RUNS)
    stored.write(database, values)
    written = [stored.write(database, values) for _ in range(2)]
    rows = NUM_RUNS * NUM_ROWS
    drop = "DROP TABLE metrics_1" if what == "partitions" else None
    return {
        f"{what}: rows written per second": rows / min(one.seconds for one in written),
        f"{what}: {rows:,} rows of a job deleted (ms)": 1_000
        * _seconds(database, "DELETE FROM metrics WHERE job_key = 3"),
        **({f"{what}: the same dropped (ms)": 1_000 * _seconds(database, drop)} if drop else {}),
    }


def _execute(database: Database, statement: str) -> None:
    with database.transaction() as session:
        session.execute(text(statement))


def _seconds(database: Database, statement: str) -> float:
    with Timer() as timer:
        _execute(database, statement)
    return timer.seconds

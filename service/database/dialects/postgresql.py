"""PostgreSQL by psycopg 3: bulk writes by binary COPY, bulk reads on a binary cursor.

A reader needs no transaction: each statement sees what is stored when it begins, and BEGIN and ROLLBACK would be two
more round trips.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from service.database.bulk import Bools, Floats, Integers, MetricRows, Outcomes, StoredTwice
from service.database.dialects.binary_copy import FLOAT8, INT4, INT8, pack
from service.database.dialects.dialect import Dialect
from service.database.epochs import BLOCK_BITS, block_of
from service.database.tables import Run

# Without a limit a connection waits for minutes for a server that does not answer.
CONNECT_TIMEOUT_SECONDS = 3


class PostgreSQL(Dialect):
    """PostgreSQL."""

    is_file = False
    nan = float("nan")
    placeholder = "%s"
    row_order = ("run_index", block_of("epoch"))
    turn_seconds = None

    def open(self, url: str, pool_size: int) -> Engine:
        """Open a pool; a connection that a restart of the server has broken is replaced before it is used."""
        return create_engine(
            url,
            pool_size=pool_size,
            max_overflow=20,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
        )

    def reader(self, engine: Engine) -> Engine:
        """Let readers commit automatically."""
        return engine.execution_options(isolation_level="AUTOCOMMIT")

    def watch(self, engine: Engine) -> Callable[[], int | None]:
        """Give None: each number would be a question to the server."""
        return lambda: None

    def now(self, seconds: float) -> str:
        """Read the clock at this moment, not at the begin of the transaction."""
        return f"(clock_timestamp() + make_interval(secs => {seconds!r}))"

    def contains(self, column: str, text: str) -> str:
        """Find the text."""
        return f"(strpos({column}, {text}) > 0)"

    def by_code_point(self, text: str) -> str:
        """Sort by bytes of UTF-8, not by the language of the database."""
        return f'({text} COLLATE "C")'

    def milliseconds_between(self, first: str, last: str) -> str:
        """Subtract the times."""
        return f"CAST(extract(epoch FROM ({last} - {first})) * 1000 AS bigint)"

    def insert(self, table: Any) -> Any:
        """Begin an INSERT."""
        return postgresql.insert(table)

    def lock(self, session: Session, name: str) -> None:
        """Take an advisory lock of the transaction; its number is a hash of the name."""
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    def stage(
        self, connection: PoolProxiedConnection, job_key: int, rows: MetricRows | None, outcomes: Outcomes | None
    ) -> None:
        """Do nothing: writers do not wait for each other."""

    def write_rows(self, session: Session, job_key: int, rows: MetricRows) -> None:
        """Insert by binary COPY, one for each set of measured fields: the format of ``pack`` has no NULL."""
        self._refuse_stored(session, job_key, rows)
        num_fields = len(rows.fields)
        if rows.measured_FN.all():
            patterns = {(1 << num_fields) - 1: slice(None)}
        else:
            pattern_N = (1 << np.arange(num_fields)) @ rows.measured_FN
            patterns = {pattern: pattern_N == pattern for pattern in np.unique(pattern_N).tolist()}
        for pattern, chosen_N in patterns.items():
            columns = {
                "job_key": (INT8, job_key),
                "run_index": (INT4, rows.run_index_N[chosen_N]),
                "epoch": (INT4, rows.epoch_N[chosen_N]),
            } | {
                name: (FLOAT8, rows.values_FN[at, chosen_N]) for at, name in enumerate(rows.fields) if pattern >> at & 1
            }
            copy_in = f"COPY metrics ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
            with _cursor(session) as cursor, cursor.copy(copy_in) as copy:
                copy.write(pack(len(rows.epoch_N[chosen_N]), columns))

    def _refuse_stored(self, session: Session, job_key: int, rows: MetricRows) -> None:
        """Do the work of a primary key, which this table lacks: a run gains rows at later epochs only.

        No other transaction writes rows of this shard meanwhile, because this one holds the shard's row.
        """
        run, epoch = int(rows.run_index_N[0]), int(rows.epoch_N[0])
        later = f"run_index = {run} AND {block_of('epoch')} >= {block_of(str(epoch))} AND epoch >= {epoch}"
        with _cursor(session) as cursor:
            cursor.execute(f"SELECT FROM metrics WHERE job_key = {job_key:d} AND {later} LIMIT 1")
            if cursor.fetchone() is not None:
                raise StoredTwice(f"run {run} has rows of epoch {epoch} or later")

    def write_runs(self, session: Session, job_key: int, outcomes: Outcomes) -> None:
        """Insert or update all rows in one statement, from an array per column."""
        columns = outcomes.columns(self.nan)
        types = [Run.__table__.c[name].type.compile(session.get_bind().dialect) for name in columns]
        names = ", ".join(columns)
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        changes = ", ".join(f"{name} = excluded.{name}" for name in columns)
        with _cursor(session) as cursor:
            cursor.execute(
                f"INSERT INTO runs (job_key, index, {names}) "  # noqa: S608
                f"SELECT {job_key:d}, new.* FROM unnest(%s::int[], {arrays}) AS new "
                f"ON CONFLICT (job_key, index) DO UPDATE SET {changes}",
                [outcomes.index_R.tolist(), *columns.values()],
            )

    def read(
        self, session: Session, integers: Sequence[str], floats: Sequence[str], rest: str
    ) -> tuple[Integers, Floats, Bools]:
        """Read on the driver's binary cursor: a COPY takes five times as long, because psycopg hands out row by row."""
        connection: Any = session.connection().connection.driver_connection
        selected = [*integers, *floats]
        with connection.cursor(binary=True) as cursor:
            rows = cursor.execute(f"SELECT {', '.join(selected)} {rest}").fetchall()
        numbers_NK = np.fromiter(chain.from_iterable(rows), dtype=np.float64).reshape(-1, len(selected))
        floats_CN = np.ascontiguousarray(numbers_NK[:, len(integers) :].T)
        # numpy makes NaN of None; only where there is one do the rows have to be examined.
        null_CN = np.isnan(floats_CN)
        at_C, at_N = np.nonzero(null_CN)
        null_CN[at_C, at_N] = [
            rows[at][len(integers) + column] is None for column, at in zip(at_C.tolist(), at_N.tolist(), strict=True)
        ]
        return numbers_NK[:, : len(integers)].T.astype(np.int64), floats_CN, null_CN

    def epochs_within(self, first: int, end: int) -> str:
        """Limit the blocks of epochs too, which the index has."""
        blocks = f"{block_of('m.epoch')} BETWEEN {first >> BLOCK_BITS:d} AND {end - 1 >> BLOCK_BITS:d}"
        return f"m.epoch >= {first:d} AND m.epoch < {end:d} AND {blocks}"

    def each_run(self, of_job: str, of_run: str) -> str:
        """Join laterally; OFFSET 0 keeps the planner from reading the whole span and joining afterwards."""
        later = f"SELECT * FROM metrics AS m WHERE {of_run} OFFSET 0"  # noqa: S608
        return f"FROM runs AS r CROSS JOIN LATERAL ({later}) AS m WHERE {of_job}"

    def after_commit(self, engine: Engine, *, is_idle: bool = False) -> None:
        """Do nothing: the server writes checkpoints."""

    def gives_back(self, session: Session) -> bool:
        """Leave the space of deleted rows to autovacuum, which lets later rows use it."""
        return True

    def has_free(self, session: Session) -> bool:
        """Leave it to autovacuum."""
        return False

    def give_back(self, session: Session, num_bytes: int) -> int:
        """Do nothing: autovacuum truncates tables."""
        return 0

    def rebuild(self, engine: Engine) -> None:
        """Rewrite the tables that jobs fill."""
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("metrics", "runs", "decisions", "shards", "jobs"):
                connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {table}")

    def is_full(self, error: BaseException) -> bool:
        """Whether it is disk_full."""
        return getattr(error, "sqlstate", None) == "53100"

    def has_raised(self, error: BaseException) -> bool:
        """Whether an error has an SQLSTATE."""
        return getattr(error, "sqlstate", None) is not None

    def reason(self, error: BaseException) -> str | None:
        """Find the SQLSTATE of an error, as a whole or by its class."""
        state: str = getattr(error, "sqlstate", "")
        return next((reason for prefix, reason in _REASONS.items() if state.startswith(prefix)), None)


def _cursor(session: Session) -> Any:
    """Give the driver's own cursor, inside the session's transaction."""
    return session.connection().connection.cursor()


# SQLSTATE by class or as a whole (PostgreSQL manual, appendix A).
_REASONS = {
    "08": "cannot be reached",
    "25006": "is read-only",
    "28": "does not let this service in",
    "3D": "is not there",
    "40": "was busy with a conflicting change",
    "42P01": "has not the tables of this version: run `ravine migrate`",
    "42703": "has not the tables of this version: run `ravine migrate`",
    "53100": "has no disk space left",
    "53": "has not the means for it now",
    "55P03": "stays locked by another process",
    "57": "is shutting down or starting",
    "58": "cannot read or write its disk",
}

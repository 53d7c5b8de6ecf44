"""Writer of metric rows and of the state of runs."""

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from service.database.bulk import MetricRows, Outcomes
from service.database.dialects.known import DIALECTS, dialect_of

# Tables that have the rows of a job without a foreign key, in the order of their deletion.
JOB_PARTS = ("metrics", "decisions", "runs")
_KEYS = {"decisions": ("run_index",), "runs": ('"index"',)}
# A run, and a place in its history that only the dialect interprets.
Place = tuple[int, int]
FIRST_PLACE: Place = (0, 0)


def stage(
    connection: Connection, job_key: int, rows: MetricRows | None = None, outcomes: Outcomes | None = None
) -> None:
    """Prepare a chunk before the transaction that writes it, which shortens its lock of SQLite."""
    DIALECTS[connection.dialect.name].stage(connection.connection, job_key, rows, outcomes)


def write_rows(session: Session, job_key: int, rows: MetricRows) -> None:
    """Insert metric rows.

    Raises:
        StoredTwice: Some of them are stored already.
    """
    dialect_of(session).write_rows(session, job_key, rows)


def write_outcomes(session: Session, job_key: int, outcomes: Outcomes) -> None:
    """Insert or update the rows of the runs of a shard."""
    dialect_of(session).write_runs(session, job_key, outcomes)


def delete_some(session: Session, part: str, job_key: int, place: Place, limit: int) -> tuple[int, Place | None]:
    """Delete the first rows of a job in one of ``JOB_PARTS``, about ``limit`` of them, at least 64.

    Args:
        session: A transaction that writes.
        part: The table.
        job_key: The key of the job.
        place: Where the previous deletion ended; ``FIRST_PLACE`` at first.
        limit: Number of rows.

    Returns:
        The number of deleted rows, and the place where the next rows begin; None if no row is left.
    """
    keys = dialect_of(session).row_order if part == "metrics" else _KEYS[part]
    columns = ", ".join(keys)
    begin, end = _values("begin", place, len(keys)), _values("end", place, len(keys))
    of_job = f"FROM {part} WHERE job_key = {job_key:d} AND ({columns}) >= ({', '.join(f':{name}' for name in begin)})"
    behind = session.execute(
        text(f"SELECT {columns} {of_job} ORDER BY {columns} LIMIT 1 OFFSET {max(limit, 64):d}"), begin
    ).one_or_none()
    statement, values = f"DELETE {of_job}", begin
    if behind is not None:
        values = begin | dict(zip(end, behind, strict=True))
        statement += f" AND ({columns}) < ({', '.join(f':{name}' for name in end)})"
    deleted = session.execute(text(statement), values)
    following = None if behind is None else (int(behind[0]), int(behind[1]) if len(keys) > 1 else 0)
    return deleted.rowcount, following  # type: ignore[attr-defined]


def _values(name: str, place: Place, num: int) -> dict[str, int]:
    return {f"{name}_{at}": value for at, value in enumerate(place[:num])}

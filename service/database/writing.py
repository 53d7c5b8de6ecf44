"""Writer of metric rows and of the state of runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from service.database.bulk import Bools, MetricRows, Outcomes
from service.database.dialects.known import DIALECTS, dialect_of

# Tables that have the rows of a job without a foreign key, in the order of their deletion.
JOB_PARTS = ("metrics", "decisions", "runs")
_KEYS = {"decisions": ("run_index",), "runs": ('"index"',)}
# A run, and a place in its history that only the dialect interprets.
Place = tuple[int, int]
FIRST_PLACE: Place = (0, 0)


def stage(connection: Connection, job_key: int, rows: MetricRows | None) -> None:
    """Prepare metric rows before the transaction that writes them, which shortens its lock of SQLite."""
    if rows is not None:
        DIALECTS[connection.dialect.name].stage(connection.connection, job_key, rows)


def write_rows(session: Session, job_key: int, rows: MetricRows) -> None:
    """Insert metric rows.

    Raises:
        StoredTwice: Some of them are stored already.
    """
    dialect_of(session).write_rows(session, job_key, rows)


def write_outcomes(session: Session, job_key: int, outcomes: Outcomes) -> None:
    """Insert or update the rows of the runs of a shard."""
    dialect = dialect_of(session)
    has_diverged_R, has_best_R = outcomes.diverged_epoch_R >= 0, outcomes.best_epoch_R >= 0
    # A run with a NaN as its loss has diverged, or has no row yet.
    has_loss_R = ~np.isnan(outcomes.final_loss_R) | has_diverged_R
    has_rows_R = ~np.isnan(outcomes.loss_area_R)
    columns = {
        "status": list(outcomes.status),
        "epochs_done": outcomes.epochs_done_R.tolist(),
        "final_loss": _storable(outcomes.final_loss_R, has_loss_R, dialect.nan),
        "best_loss": _storable(outcomes.best_loss_R, has_best_R, dialect.nan),
        "best_epoch": _storable(outcomes.best_epoch_R, has_best_R, dialect.nan),
        "diverged_epoch": _storable(outcomes.diverged_epoch_R, has_diverged_R, dialect.nan),
        "test_loss": _storable(outcomes.test_loss_R, ~np.isnan(outcomes.test_loss_R), dialect.nan),
        "test_accuracy": _storable(outcomes.test_accuracy_R, ~np.isnan(outcomes.test_accuracy_R), dialect.nan),
        "loss_area": _storable(outcomes.loss_area_R, has_rows_R, dialect.nan),
        "history_digest": _storable(outcomes.history_digest_R.view(np.int64), has_rows_R, dialect.nan),
    }
    dialect.write_runs(session, job_key, outcomes.index_R.tolist(), columns)


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


def _storable(values_R: NDArray[Any], known_R: Bools, nan: Any) -> list[Any]:
    """Convert values for the driver; unknown ones are NULL."""
    stored_R = values_R.astype(object)
    if values_R.dtype.kind == "f":
        stored_R[np.isnan(values_R)] = nan
    stored_R[~known_R] = None
    return stored_R.tolist()  # type: ignore[no-any-return]

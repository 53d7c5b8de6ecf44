"""Writer of metric rows and of the state of runs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete
from sqlalchemy.orm import Session

from service.database.bulk import Bools, MetricRows, Outcomes
from service.database.dialects.known import DIALECTS, dialect_of
from service.database.tables import Metric


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


def delete_rows(session: Session, job_key: int) -> None:
    """Delete the metric rows of a job."""
    session.execute(delete(Metric).where(Metric.job_key == job_key))


def _storable(values_R: NDArray[Any], known_R: Bools, nan: Any) -> list[Any]:
    """Convert values for the driver; unknown ones are NULL."""
    stored_R = values_R.astype(object)
    if values_R.dtype.kind == "f":
        stored_R[np.isnan(values_R)] = nan
    stored_R[~known_R] = None
    return stored_R.tolist()  # type: ignore[no-any-return]

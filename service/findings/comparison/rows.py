"""What a comparison reads: the state of every run, and the loss curves in portions of whole runs.

Memory is bounded: of each portion only a few numbers per run are kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.curves import Curves
from service.database.dialects.known import dialect_of
from service.database.reading import read
from service.database.spans import Span
from service.database.states import RUN_ENDED, RunStatus
from service.database.tables import Job

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Rows of histories in memory at once: about 200 bytes each while they are read from PostgreSQL.
MAX_ROWS = 100_000


@dataclass(frozen=True)
class Outcomes:
    """How each of R runs stands. A run that diverged, or ended at a loss that is not finite, has an infinite loss."""

    recorded_R: Bools
    ended_R: Bools
    diverged_R: Bools
    epochs_R: NDArray[np.int64]
    final_R: Floats
    best_R: Floats


@dataclass(frozen=True)
class Portion:
    """Histories of some runs: their indices, their loss curves, and further columns point by point."""

    index_R: NDArray[np.int64]
    curves: Curves
    columns: Mapping[str, Floats]


def read_outcomes(session: Session, job: Job) -> Outcomes:
    """Read how every run of a job stands, by index."""
    ended = ", ".join(f"'{status}'" for status in sorted(RUN_ENDED))
    (ended_R, diverged_R, epochs_R), (final_R, best_R), (unknown_R, _) = dialect_of(session).read(
        session,
        [
            f"CASE WHEN r.status IN ({ended}) THEN 1 ELSE 0 END",
            f"CASE WHEN r.status = '{RunStatus.DIVERGED}' THEN 1 ELSE 0 END",
            "r.epochs_done",
        ],
        ["r.final_loss", "r.best_loss"],
        f'FROM runs r WHERE r.job_key = {job.key:d} ORDER BY r."index"',
    )
    has_diverged_R = (diverged_R == 1) | (~unknown_R & ~np.isfinite(final_R))
    return Outcomes(
        recorded_R=~unknown_R,
        ended_R=ended_R == 1,
        diverged_R=has_diverged_R,
        epochs_R=epochs_R,
        final_R=np.where(has_diverged_R, np.inf, final_R),
        best_R=np.where(np.isfinite(best_R), best_R, np.inf),
    )


def read_portions(
    session: Session, job: Job, rows_per_run: int, fields: list[str], runs: tuple[int, int] | None = None
) -> Iterator[Portion]:
    """Read the loss and further fields of all rows, portion by portion; runs without rows are left out."""
    first, last = runs or (0, job.runs_total)
    step = max(1, MAX_ROWS // rows_per_run)
    for begin in range(first, last, step):
        rows = read(session, job.key, Span(begin, min(last, begin + step)), ["loss", *fields])
        if len(rows):
            first_R = np.flatnonzero(np.diff(rows.index_N, prepend=rows.index_N[0] - 1))
            loss_P, *columns = rows.values_CN
            yield Portion(
                rows.index_N[first_R], Curves(first_R, rows.epoch_N, loss_P), dict(zip(fields, columns, strict=True))
            )

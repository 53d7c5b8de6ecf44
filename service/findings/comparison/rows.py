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
from service.database.reading import read, require
from service.database.spans import Span
from service.database.states import RUN_ENDED, RunStatus
from service.database.tables import Job
from service.jobs.outcomes import DIGEST_BITS
from service.jobs.run_states import not_stored

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
    digest_R: NDArray[np.int64]
    """Digest of the whole history; −1 while a run has not ended."""

    def take(self, index_R: NDArray[np.int64]) -> "Outcomes":
        """Give some of the runs."""
        return Outcomes(**{name: values_R[index_R] for name, values_R in vars(self).items()})


@dataclass(frozen=True)
class Portion:
    """Histories of some runs: their indices, their loss curves, and further columns point by point."""

    index_R: NDArray[np.int64]
    curves: Curves
    columns: Mapping[str, Floats]


def read_outcomes(session: Session, job: Job) -> Outcomes:
    """Read how every run of a job stands, by index."""
    ended = ", ".join(f"'{status}'" for status in sorted(RUN_ENDED))
    # Runs without rows first: if a shard stores its first chunk in between, its rows count.
    missing = not_stored(session, job.key)
    (index_N, ended_N, diverged_N, epochs_N, digest_N), (final_N, best_N), (unknown_N, _) = dialect_of(session).read(
        session,
        [
            'r."index"',
            f"CASE WHEN r.status IN ({ended}) THEN 1 ELSE 0 END",
            f"CASE WHEN r.status = '{RunStatus.DIVERGED}' THEN 1 ELSE 0 END",
            "r.epochs_done",
            f"CASE WHEN r.status IN ({ended}) THEN COALESCE(r.history_digest & {DIGEST_BITS}, -1) ELSE -1 END",
        ],
        ["r.final_loss", "r.best_loss"],
        f'FROM runs r WHERE r.job_key = {job.key:d} ORDER BY r."index"',
    )
    require(session, job)
    outcomes = Outcomes(
        recorded_R=np.zeros(job.runs_total, dtype=bool),
        ended_R=np.zeros(job.runs_total, dtype=bool),
        diverged_R=np.zeros(job.runs_total, dtype=bool),
        epochs_R=np.zeros(job.runs_total, dtype=np.int64),
        final_R=np.full(job.runs_total, np.nan),
        best_R=np.full(job.runs_total, np.inf),
        digest_R=np.full(job.runs_total, -1),
    )
    for piece in missing:
        outcomes.ended_R[piece.first : piece.end] = piece.status in RUN_ENDED
    has_diverged_N = (diverged_N == 1) | (~unknown_N & ~np.isfinite(final_N))
    outcomes.recorded_R[index_N] = ~unknown_N
    outcomes.ended_R[index_N] = ended_N == 1
    outcomes.diverged_R[index_N] = has_diverged_N
    outcomes.epochs_R[index_N] = epochs_N
    outcomes.digest_R[index_N] = digest_N
    outcomes.final_R[index_N] = np.where(has_diverged_N, np.inf, final_N)
    outcomes.best_R[index_N] = np.where(np.isfinite(best_N), best_N, np.inf)
    return outcomes


def read_portions(
    session: Session,
    job: Job,
    rows_per_run: int,
    fields: list[str],
    runs: tuple[int, int] | None = None,
    only: NDArray[np.int64] | None = None,
) -> Iterator[Portion]:
    """Read the loss and further fields of all rows, portion by portion; runs without rows are left out.

    Args:
        session: Read from here.
        job: Which job.
        rows_per_run: Most rows of a run.
        fields: Further fields.
        runs: Runs to read, from the first to before the last; by default all.
        only: Runs among these that are given.

    Raises:
        NotFound: The job was deleted meanwhile.
    """
    first, last = runs or (0, job.runs_total)
    step = max(1, MAX_ROWS // rows_per_run)
    for begin in range(first, last, step):
        rows = read(session, job.key, Span(begin, min(last, begin + step)), ["loss", *fields])
        require(session, job)
        if only is not None and len(only) < last - first:
            rows = rows.take(np.flatnonzero(np.isin(rows.index_N, only)))
        if len(rows):
            first_R = np.flatnonzero(np.diff(rows.index_N, prepend=rows.index_N[0] - 1))
            loss_P, *columns = rows.values_CN
            yield Portion(
                rows.index_N[first_R], Curves(first_R, rows.epoch_N, loss_P), dict(zip(fields, columns, strict=True))
            )

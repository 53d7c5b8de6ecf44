"""Thinning of histories while they are streamed, by the rule of ``analysis/thinning.py`` and in bounded memory."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from service.analysis.thinning import Extremes, positions, thin
from service.database.connection import Database
from service.database.reading import PIECE_ROWS, MetricColumns, stream, stream_epochs
from service.database.spans import Span, joined, rows_of_run
from service.database.tables import Job

# A look-up by key takes as long as reading some rows in their order.
_SCANNED_PER_LOOKUP = 10


def thinned(
    database: Database, job: Job, spans: Sequence[Span], columns: Sequence[str], record_every: int, max_points: int
) -> Iterator[MetricColumns]:
    """Read spans as ``stream`` does, with the rows of each run thinned to about ``max_points``.

    A run that does not fit into a piece is read for its extremes first. Then the points to keep are looked up, or all
    rows are read again if these are many.
    """
    for span in joined(spans):
        if rows_of_run(span, record_every) <= PIECE_ROWS:
            for rows in stream(database, job, [span], columns, record_every):
                yield thin_runs(rows, max_points)
            continue
        for run in range(span.first_run, span.end_run):
            of_run = [replace(span, first_run=run, end_run=run + 1)]
            extremes = [Extremes() for _ in columns]
            epochs: list[NDArray[np.int32]] = []
            for rows in stream(database, job, of_run, columns, record_every):
                epochs.append(rows.epoch_N.astype(np.int32))
                for extreme, values_N in zip(extremes, rows.values_CN, strict=True):
                    extreme.add(values_N)
            if not epochs:
                continue
            epoch_N = np.concatenate(epochs)
            chosen = positions(extremes, len(epoch_N), max_points)
            if len(chosen) * _SCANNED_PER_LOOKUP < len(epoch_N):
                yield from stream_epochs(database, job, run, epoch_N[chosen].astype(np.int64), columns)
                continue
            first = 0
            for rows in stream(database, job, of_run, columns, record_every):
                inside = chosen[(chosen >= first) & (chosen < first + len(rows))] - first
                first += len(rows)
                if len(inside):
                    yield rows.take(inside)


def thin_runs(rows: MetricColumns, max_points: int) -> MetricColumns:
    """Thin each run separately."""
    chosen = [
        first + thin(list(rows.values_CN[:, first:last]), last - first, max_points)
        if last - first > max_points
        else np.arange(first, last)
        for _, first, last in rows.runs()
    ]
    kept = sum(len(positions_K) for positions_K in chosen)
    return rows if kept == len(rows) else rows.take(np.concatenate(chosen))

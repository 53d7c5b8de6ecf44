"""Thinning of histories that are still growing, for readers of the event stream.

The epochs of a history are divided into cells that do not depend on the chunks in which it is stored. Each cell is
thinned by itself when all of its rows are stored. A job therefore yields the same points, however often rows are stored
or read.
"""

import numpy as np

from service.database.reading import PIECE_ROWS, MetricColumns
from service.histories.reading import Selection
from service.spec.job import JobSpec

# A span of epochs has one row per ``record_every`` epochs, and two more for its ends.
MAX_SPAN_ROWS = PIECE_ROWS - 2


def cell_epochs(spec: JobSpec, selection: Selection) -> int | None:
    """Give the number of epochs of a cell; None if no thinning is requested or needed."""
    num_rows = spec.epochs // spec.record_every + 2
    if selection.max_points is None or num_rows <= selection.max_points:
        return None
    # A cell keeps two ends and two extremes of each column, and its rows fit into a piece.
    num_cells = max(1, selection.max_points // (2 + 2 * len(selection.columns)), -(-num_rows // MAX_SPAN_ROWS))
    return -(-(spec.epochs + 1) // num_cells)


def thin(rows: MetricColumns, epochs: int) -> MetricColumns:
    """Thin the cells of each run: keep both ends, and each column's smallest, largest and non-finite values."""
    cell_N = rows.epoch_N // epochs
    begins_N = np.r_[True, (np.diff(rows.index_N) != 0) | (np.diff(cell_N) != 0)]
    firsts_S = np.flatnonzero(begins_N)
    segment_N = np.cumsum(begins_N) - 1
    kept_N = begins_N | np.r_[begins_N[1:], True]
    for values_N, null_N in zip(rows.values_CN, rows.null_CN, strict=True):
        finite_N = np.isfinite(values_N)
        kept_N |= ~finite_N & ~null_N
        for choose, never in ((np.minimum, np.inf), (np.maximum, -np.inf)):
            extreme_S = choose.reduceat(np.where(finite_N, values_N, never), firsts_S)
            at_K = np.flatnonzero(finite_N & (values_N == extreme_S[segment_N]))
            # Of equal values the first.
            kept_N[at_K[np.unique(segment_N[at_K], return_index=True)[1]]] = True
    return rows.take(np.flatnonzero(kept_N))

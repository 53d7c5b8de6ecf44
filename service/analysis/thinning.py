"""Thinning of long histories: choice of points that keeps ends, extremes and non-finite values."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def thin(columns: Sequence[NDArray[np.float64]], num_points: int, max_points: int) -> NDArray[np.int64]:
    """Choose about ``max_points`` of ``num_points`` positions, sorted; the same data always give the same positions.

    The first and the last point are kept, and for every column the smallest, the largest and each non-finite point,
    whatever their number. The other points are evenly spaced.

    Args:
        columns: Values, each [num_points]. A column without measured values is all NaN and keeps no point.
        num_points: Number of points.
        max_points: Number of points to keep, at least 2.
    """
    extremes = [Extremes() for _ in columns]
    for extreme, column in zip(extremes, columns, strict=True):
        extreme.add(column)
    return positions(extremes, num_points, max_points)


def positions(extremes: Sequence["Extremes"], num_points: int, max_points: int) -> NDArray[np.int64]:
    """Choose as ``thin`` does, from the extremes of each column."""
    if num_points <= max_points:
        return np.arange(num_points)
    kept = {0, num_points - 1}.union(*(extreme.kept() for extreme in extremes))
    room = max(0, max_points - len(kept))
    if room:
        kept.update(np.linspace(0, num_points - 1, room + 2).round().astype(np.int64)[1:-1].tolist())
    return np.array(sorted(kept), dtype=np.int64)


class Extremes:
    """Positions of the smallest, the largest and the non-finite values of a column that is read block by block."""

    def __init__(self) -> None:
        self._num_points = 0
        # Leading non-finite points are only counted, so that a column without measured values takes no memory.
        self._num_leading: int | None = None
        self._not_finite: list[int] = []
        self._smallest, self._largest = np.inf, -np.inf
        self._smallest_at, self._largest_at = 0, 0

    def add(self, column: NDArray[np.float64]) -> None:
        """Add the next values of the column."""
        finite = np.isfinite(column)
        if finite.any():
            lowest, highest = (int(at) for at in (np.where(finite, column, np.inf).argmin(),
                                                  np.where(finite, column, -np.inf).argmax()))  # fmt: skip
            first = int(finite.argmax()) if self._num_leading is None else 0
            if self._num_leading is None:
                self._num_leading = self._num_points + first
                self._smallest_at = self._largest_at = self._num_leading
            if column[lowest] < self._smallest:
                self._smallest, self._smallest_at = float(column[lowest]), self._num_points + lowest
            if column[highest] > self._largest:
                self._largest, self._largest_at = float(column[highest]), self._num_points + highest
            later = np.flatnonzero(~finite[first:]) + first
            self._not_finite += (self._num_points + later).tolist()
        elif self._num_leading is not None:
            self._not_finite += range(self._num_points, self._num_points + len(column))
        self._num_points += len(column)

    def kept(self) -> set[int]:
        """Give the positions to keep.

        A NaN at position 0 is not among them: at epoch 0, fields of updates are not measured.
        """
        if self._num_leading is None:
            return set()
        return {self._smallest_at, self._largest_at, *range(1, self._num_leading), *self._not_finite}

"""Which points of a long history to keep, so that a picture of it loses nothing that matters."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def thin(columns: Sequence[NDArray[np.float64]], num_points: int, max_points: int) -> NDArray[np.int64]:
    """Choose about ``max_points`` of ``num_points`` positions, sorted; the same data always give the same ones.

    The first, the last and, of every column, the smallest, the largest and each non-finite point stay, however
    many they are. The rest of the room is filled evenly over the positions.

    Args:
        columns: Values, each [num_points]; a column with nothing measured is all NaN and keeps nothing by itself.
        num_points: How many points there are.
        max_points: How many may be kept; at least 2.
    """
    if num_points <= max_points:
        return np.arange(num_points)
    kept = {0, num_points - 1}
    for column in columns:
        finite = np.isfinite(column)
        if not finite.any():
            continue
        kept.add(int(np.where(finite, column, np.inf).argmin()))
        kept.add(int(np.where(finite, column, -np.inf).argmax()))
        kept.update(np.flatnonzero(~finite & _measured(column)).tolist())
    room = max(0, max_points - len(kept))
    if room:
        kept.update(np.linspace(0, num_points - 1, room + 2).round().astype(np.int64)[1:-1].tolist())
    return np.array(sorted(kept), dtype=np.int64)


def _measured(column: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Leave out a leading NaN: epoch 0 has no update, so its fields about updates are not measured."""
    measured = np.ones(len(column), dtype=bool)
    measured[0] = False
    return measured

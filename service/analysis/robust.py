"""Values of runs as they are compared: capped at the untrained start, on the scale of the criterion.

Letters: S settings, J seeds, T starts.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# On a logarithmic scale, a value below this share of the untrained start counts as this share.
FLOOR = 1e-12


def medians_at_start(start_JT: Floats) -> Floats:
    """Give the median over seeds of the finite values at epoch 0 from each start, [T]; NaN where there is none."""
    found_T = np.full(start_JT.shape[1], np.nan)
    for start, of_start in enumerate(start_JT.T):
        if (finite := of_start[np.isfinite(of_start)]).size:
            found_T[start] = np.median(finite)
    return found_T


def capped(
    values_SJT: Floats,
    diverged_SJT: Bools,
    cap_T: Floats,
    *,
    name: str,
    scale: Literal["log", "linear"],
    larger_is_better: bool,
    least: float,
) -> Floats:
    """Bring the values of a criterion on its scale, [S, J, T].

    A value worse than the untrained start (``cap_T``) counts as that start, and so does a run that diverged; its
    accuracy counts 0. A miss of the target counts as all epochs.

    Args:
        values_SJT: Values as measured; infinite for a miss of the target.
        diverged_SJT: Whether the run diverged.
        cap_T: Value at epoch 0 from each start; for epochs the length of a run; NaN where it is unknown.
        name: Name of the criterion.
        scale: Its scale.
        larger_is_better: Its direction.
        least: Least value, from which it is measured on a logarithmic scale.
    """
    cap_T = _known(cap_T)
    if name != "epochs_to_target":
        values_SJT = np.where(np.isfinite(values_SJT) & ~diverged_SJT, values_SJT, cap_T)
    values_SJT = (np.maximum if larger_is_better else np.minimum)(values_SJT, cap_T)
    if name == "test_accuracy":
        values_SJT = np.where(diverged_SJT, 0.0, values_SJT)
    if scale == "log":
        # A run that begins at the target does so with every label, so any positive number gives a difference of 0.
        gap_T = np.ones_like(cap_T) if name == "epochs_to_target" else floors(cap_T, least)
        values_SJT = np.log(np.maximum(values_SJT - least, gap_T))
    return np.asarray(values_SJT)


def floors(cap_T: Floats, least: float) -> Floats:
    """Give the distances from the least value, [T], below which a value on a logarithmic scale counts as them."""
    return np.asarray(np.maximum(FLOOR * (_known(cap_T) - least), np.finfo(float).tiny))


def _known(cap_T: Floats) -> Floats:
    """Replace unknown values at epoch 0 by the largest known one."""
    fallback = float(cap_T[np.isfinite(cap_T)].max()) if np.isfinite(cap_T).any() else 0.0
    return np.where(np.isfinite(cap_T), cap_T, fallback)

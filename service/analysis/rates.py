"""Measured rate of convergence of a run, for comparison with theory."""

import numpy as np
from numpy.typing import ArrayLike

# Below this share of the first loss, rounding errors dominate (float64, losses of about 1).
FLOOR = 1e-24
# A difference from a minimum other than 0 has rounding errors of this share of the minimum.
DIFFERENCE_FLOOR = 64 * float(np.finfo(np.float64).eps)
# Fewest points for the fit of a line.
FEWEST_POINTS = 8


def measured_rate(epochs: ArrayLike, losses: ArrayLike, least: float = 0.0) -> float | None:
    """Give the factor of the distance to the minimum per update, over the later half of a history.

    On a quadratic the loss above its minimum ``least`` is proportional to the squared distance, so the factor is the
    root of that of the loss. The slope of the logarithm is fitted by least squares, which averages over oscillations.
    None if the history is too short, is not finite, or reaches rounding errors before its later half.
    """
    epoch_E = np.asarray(epochs, dtype=np.float64)
    above_E = np.asarray(losses, dtype=np.float64) - least
    if not len(above_E):
        return None
    floor = max(FLOOR * max(1.0, abs(above_E[0])), DIFFERENCE_FLOOR * abs(least))
    usable_E = np.isfinite(above_E) & (above_E > floor)
    # The descent ends at the first loss at the floor.
    end = int(np.argmin(usable_E)) if not usable_E.all() else len(usable_E)
    half = slice(end // 2, end)
    if end - end // 2 < FEWEST_POINTS:
        return None
    slope = np.polyfit(epoch_E[half], np.log(above_E[half]), 1)[0]
    return float(np.exp(slope / 2))

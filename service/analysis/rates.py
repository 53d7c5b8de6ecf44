"""How fast did a run converge, as one number that theory can be held against?"""

import numpy as np
from numpy.typing import ArrayLike

# Below this share of the first loss rounding decides, in float64 and at losses of about one.
FLOOR = 1e-24
# A line through fewer points says nothing.
FEWEST_POINTS = 8


def measured_rate(epochs: ArrayLike, losses: ArrayLike, least: float = 0.0) -> float | None:
    """Give the factor by which the distance to the minimum shrank at each update, over the later half of a history.

    On a quadratic the loss above its minimum ``least`` goes like squared distance, so its factor's root is taken.
    The slope of its logarithm is fitted by least squares, which also averages over swings. None where the history is
    too short, not finite, or has arrived at rounding errors before its later half.
    """
    epoch_E = np.asarray(epochs, dtype=np.float64)
    above_E = np.asarray(losses, dtype=np.float64) - least
    usable_E = np.isfinite(above_E) & (above_E > FLOOR * max(1.0, abs(above_E[0]))) if len(above_E) else above_E > 0
    # Only what comes before the first loss at the floor belongs to the descent.
    end = int(np.argmin(usable_E)) if not usable_E.all() else len(usable_E)
    half = slice(end // 2, end)
    if end - end // 2 < FEWEST_POINTS:
        return None
    slope = np.polyfit(epoch_E[half], np.log(above_E[half]), 1)[0]
    return float(np.exp(slope / 2))

"""Inputs of a network that are computed from a point of the plane.

They are those of Smilkov and Carter's Neural Network Playground, whose points are five times as far from the middle.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FEATURES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "x": lambda x_N, y_N: x_N,
    "y": lambda x_N, y_N: y_N,
    "x2": lambda x_N, y_N: x_N * x_N,
    "y2": lambda x_N, y_N: y_N * y_N,
    "xy": lambda x_N, y_N: x_N * y_N,
    "sin_x": lambda x_N, y_N: np.sin(5 * x_N),
    "sin_y": lambda x_N, y_N: np.sin(5 * y_N),
}


def featured(points_N2: Floats, features: Sequence[str]) -> Floats:
    """Compute the inputs [N, F] of points [N, 2]."""
    x_N, y_N = points_N2.T
    return np.stack([FEATURES[name](x_N, y_N) for name in features], axis=1)

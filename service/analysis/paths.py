"""Measures of paths through the plane: crossings of the minimum, overshoot, turning angle, length and end."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
# A path ends in a minimum if its last point is nearer to it than this share of the distance at the start.
ARRIVED = 0.1


@dataclass(frozen=True)
class Path:
    """Measures of one path of recorded points; lengths in the units of the coordinates."""

    sign_changes: tuple[int, ...]
    """Per coordinate, the number of crossings of the minimum."""
    overshoot: tuple[float, ...]
    """Per coordinate, the largest distance beyond the minimum, seen from the start; 0 without overshoot."""
    turning_angle: float
    """Mean angle between consecutive steps in degrees, 0 straight on, 180 back; NaN for fewer than two steps."""
    length: float
    """Sum of the steps."""
    detour: float
    """Length divided by the straight distance from start to end; infinite for a path that ends at its start."""
    minimum: int | None
    """Position of the nearest minimum in the list, if the path ends in it."""


def trace(points_ED: Floats, minima_MD: Floats) -> Path:
    """Measure the path of E recorded points on a landscape with M known minima.

    Crossings and overshoot refer to the minimum nearest to the last point; without a minimum, to the last point. A
    point that is not finite ends a path.

    Args:
        points_ED: Positions by epoch, D coordinates.
        minima_MD: Known minima; M may be 0.
    """
    finite_E: NDArray[np.bool_] = np.asarray(np.isfinite(points_ED).all(axis=1))
    points_ED = points_ED[: len(finite_E) if finite_E.all() else int(finite_E.argmin())]
    num_dimensions = points_ED.shape[1]
    if len(points_ED) == 0:
        return Path((0,) * num_dimensions, (0.0,) * num_dimensions, np.nan, 0.0, np.nan, None)
    start_D, end_D = points_ED[0], points_ED[-1]
    nearest, arrived = 0, False
    centre_D = end_D
    if len(minima_MD):
        with np.errstate(over="ignore"):
            distance_M = np.linalg.norm(minima_MD - end_D, axis=1)
        nearest = int(distance_M.argmin())
        centre_D = minima_MD[nearest]
        arrived = bool(distance_M[nearest] <= ARRIVED * np.linalg.norm(start_D - centre_D))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        around_ED = points_ED - centre_D
        past_ED = -np.sign(around_ED[0]) * around_ED
        overshoot_D = np.maximum(past_ED.max(axis=0), 0.0)
        steps_ED = np.diff(points_ED, axis=0)
        sizes_E = np.linalg.norm(steps_ED, axis=1)
        length = float(sizes_E.sum())
        straight = float(np.linalg.norm(end_D - start_D))
        moving_E = (sizes_E[1:] > 0) & (sizes_E[:-1] > 0)
        cosines = (steps_ED[1:] * steps_ED[:-1]).sum(axis=1)[moving_E] / (sizes_E[1:] * sizes_E[:-1])[moving_E]
        angles = np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
        detour = length / straight if straight > 0 else (np.inf if length > 0 else np.nan)
    return Path(
        sign_changes=tuple(_sign_changes(column) for column in around_ED.T),
        overshoot=tuple(overshoot_D.tolist()),
        turning_angle=float(angles.mean()) if len(angles) else np.nan,
        length=length,
        detour=float(detour),
        minimum=nearest if arrived else None,
    )


def _sign_changes(values_E: Floats) -> int:
    """Count sign changes; zeros are ignored."""
    signs = np.sign(values_E)
    signs = signs[signs != 0]
    return int((signs[1:] != signs[:-1]).sum())

"""Measures of a descent: arrival, sign changes, overshoot and turning angle."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from service.analysis.curves import Curves, epochs_to_target

Floats = NDArray[np.float64]
# Last share of the history in which a value must be at or below the target to count as settled; a shorter time could be
# part of an oscillation.
SEEN = 0.1


def first_reached(epochs: ArrayLike, values: ArrayLike, target: float) -> Floats:
    """Give the first recorded epoch [R] at which a value [R, E] is at most the target; infinite without one."""
    return epochs_to_target(_curves(epochs, values), target)[0]


def settled(epochs: ArrayLike, values: ArrayLike, target: float) -> Floats:
    """Give the recorded epoch [R] from which on a value [R, E] stays at or below the target; infinite without one.

    The value must stay there for at least the last tenth of the history. NaN is above every target, so a run that
    diverged has not settled.
    """
    stays_R = epochs_to_target(_curves(epochs, values), target)[1]
    epoch_E = np.asarray(epochs, dtype=np.float64)
    return np.where(stays_R <= epoch_E[-1] - SEEN * (epoch_E[-1] - epoch_E[0]), stays_R, np.inf)


def _curves(epochs: ArrayLike, values: ArrayLike) -> Curves:
    """Store the rows of a table one after the other."""
    value_RE = np.atleast_2d(np.asarray(values, dtype=np.float64))
    num, length = value_RE.shape
    return Curves(np.arange(num) * length, np.tile(np.asarray(epochs, dtype=np.int64), num), value_RE.ravel())


def sign_changes(path: ArrayLike, floor: float = 0.0) -> NDArray[np.int64]:
    """Count the sign changes of a coordinate [R, E], without values of magnitude up to ``floor``."""
    counts = []
    for row in np.atleast_2d(np.asarray(path, dtype=np.float64)):
        signs = np.sign(row[np.isfinite(row) & (np.abs(row) > floor)])
        counts.append(int((signs[1:] != signs[:-1]).sum()))
    return np.array(counts)


def overshoot(path: ArrayLike) -> Floats:
    """Give the largest distance of a coordinate [R, E] beyond 0, seen from its start, as a share of its start."""
    path_RE = np.atleast_2d(np.asarray(path, dtype=np.float64))
    beyond_RE = -path_RE / path_RE[:, :1]
    return np.asarray(np.fmax(np.nanmax(beyond_RE, axis=1), 0.0))


def turning_angle(points: ArrayLike) -> Floats:
    """Give the mean angle [R] in degrees between consecutive steps of a path [R, E, 2]: 0 is straight on, 180 back."""
    steps = np.diff(np.asarray(points, dtype=np.float64), axis=1)
    lengths = np.linalg.norm(steps, axis=2)
    cosine = (steps[:, 1:] * steps[:, :-1]).sum(axis=2) / np.maximum(lengths[:, 1:] * lengths[:, :-1], 1e-300)
    return np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean(axis=1))

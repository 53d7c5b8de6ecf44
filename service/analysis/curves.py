"""Measures of loss curves: the epochs at which a target is reached and held, and the area under the curve.

R curves are stored one after the other in flat arrays of P points; ``first_R`` has the position of the first point of
each curve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Curves:
    """R loss curves, one after the other, each of at least one point, sorted by epoch."""

    first_R: Integers
    epoch_P: Integers
    loss_P: Floats

    @property
    def last_R(self) -> Integers:
        """Position of the last point of each curve."""
        return np.append(self.first_R[1:], len(self.epoch_P)) - 1


def epochs_to_target(curves: Curves, target: float) -> tuple[Floats, Floats]:
    """Give the epochs at which the loss is at or below the target first, and from which on it stays there.

    The second is the first recorded epoch after the last one above the target. COCO uses the first only (Hansen et
    al., COCO: A Platform for Comparing Continuous Optimizers, 2021). NaN is above every target.

    Returns:
        First reached and settled, each [R]; infinite if the target is missed, or not held at the last row.
    """
    reached_P = curves.loss_P <= target
    num = len(curves.epoch_P)
    position_P = np.arange(num)
    hit_R = np.minimum.reduceat(np.where(reached_P, position_P, num), curves.first_R)
    after_R = np.maximum.reduceat(np.where(reached_P, -1, position_P), curves.first_R) + 1
    after_R = np.maximum(after_R, curves.first_R)
    epoch = np.append(curves.epoch_P, 0).astype(np.float64)
    ended_R = curves.last_R
    return (
        np.where(hit_R <= ended_R, epoch[np.minimum(hit_R, num)], np.inf),
        np.where(after_R <= ended_R, epoch[np.minimum(after_R, num)], np.inf),
    )


def area_under_curve(curves: Curves) -> Floats:
    """Give the mean loss over the recorded epochs, by trapezoids, [R]: ∫ loss d(epoch) / (last − first epoch).

    The area of a curve of one point is its loss; that of a curve with a non-finite loss is infinite.
    """
    loss_P = np.where(np.isfinite(curves.loss_P), curves.loss_P, 0.0)
    width_P = np.diff(curves.epoch_P, append=0).astype(np.float64)
    width_P[curves.last_R] = 0.0
    with np.errstate(over="ignore"):
        area_R = np.add.reduceat(width_P * (loss_P + np.append(loss_P[1:], 0.0)) / 2, curves.first_R)
    span_R = curves.epoch_P[curves.last_R] - curves.epoch_P[curves.first_R]
    area_R = np.where(span_R > 0, area_R / np.maximum(span_R, 1), loss_P[curves.first_R])
    broken_R = np.add.reduceat((~np.isfinite(curves.loss_P)).astype(np.int64), curves.first_R) > 0
    return np.asarray(np.where(broken_R, np.inf, area_R))

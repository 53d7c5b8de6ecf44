"""Loss, gradient and Hessian of a linear model in the coordinates of its design.

Cross-entropy does not change if a number is added to all outputs of an example. Its K outputs are therefore written
with K − 1 contrasts, which are orthonormal and orthogonal to that direction.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from worker.data.linear.design import Design, Floats

# Least lead of a right class, as a share of the largest output, that is no rounding error.
LEAD = 1e-9


class Objective(Protocol):
    """A convex function of coordinates [M, Q], one column for each contrast or output."""

    num_contrasts: int

    def has_no_minimum(self, at_MQ: Floats) -> bool:
        """Whether the loss falls for ever from 0 through a point; False where that is unknown."""

    def value(self, at_MQ: Floats) -> float:
        """The loss with its penalty; infinite where it overflows."""

    def gradient(self, at_MQ: Floats) -> Floats:
        """Its gradient [M, Q]."""

    def product(self, at_MQ: Floats, direction_MQ: Floats) -> Floats:
        """The product [M, Q] of the Hessian and a direction."""

    def hessian(self, at_MQ: Floats) -> Floats:
        """The Hessian [Q·M, Q·M]; coordinates of one column are consecutive."""

    def outputs(self, at_MQ: Floats) -> Floats:
        """The coordinates of each output [M, K]."""


class SquaredError:
    """Half the mean squared error of one output, with its penalty."""

    num_contrasts = 1

    def __init__(self, of: Design, targets_N: Floats) -> None:
        self._of, self._targets_N = of, targets_N

    def has_no_minimum(self, at_MQ: Floats) -> bool:
        return False

    def value(self, at_MQ: Floats) -> float:
        errors_N = self._of.rows_NM @ at_MQ[:, 0] - self._targets_N
        return float(errors_N @ errors_N / (2 * len(errors_N)) + self._of.l2_M @ at_MQ[:, 0] ** 2 / 2)

    def gradient(self, at_MQ: Floats) -> Floats:
        errors_N1 = self._of.rows_NM @ at_MQ - self._targets_N[:, None]
        gradient: Floats = self._of.rows_NM.T @ errors_N1 / len(errors_N1) + self._of.l2_M[:, None] * at_MQ
        return gradient

    def product(self, at_MQ: Floats, direction_MQ: Floats) -> Floats:
        rows_NM = self._of.rows_NM
        product: Floats = rows_NM.T @ (rows_NM @ direction_MQ) / len(rows_NM) + self._of.l2_M[:, None] * direction_MQ
        return product

    def hessian(self, at_MQ: Floats) -> Floats:
        rows_NM = self._of.rows_NM
        hessian: Floats = rows_NM.T @ rows_NM / len(rows_NM) + np.diag(self._of.l2_M)
        return hessian

    def outputs(self, at_MQ: Floats) -> Floats:
        return at_MQ


class CrossEntropy:
    """Mean cross-entropy of K classes, with its penalty."""

    def __init__(self, of: Design, labels_N: NDArray[np.int64], num_classes: int) -> None:
        self._of, self._labels_N = of, labels_N
        self._each_N = np.arange(len(labels_N))
        self._contrasts_KQ = _contrasts(num_classes)
        self.num_contrasts = num_classes - 1

    def logits(self, at_MQ: Floats) -> Floats:
        """Outputs [N, K] without what all outputs of an example share."""
        logits_NK: Floats = (self._of.rows_NM @ at_MQ) @ self._contrasts_KQ.T
        return logits_NK

    def has_no_minimum(self, at_MQ: Floats) -> bool:
        """Whether there is no penalty, and the right class of each example leads."""
        if self._of.l2:
            return False
        logits_NK = self.logits(at_MQ)
        right_N = logits_NK[self._each_N, self._labels_N].copy()
        largest = float(np.abs(right_N).max())
        logits_NK[self._each_N, self._labels_N] = -np.inf
        return bool(largest > 0 and (right_N - logits_NK.max(axis=1)).min() > LEAD * largest)

    def value(self, at_MQ: Floats) -> float:
        logits_NK = self.logits(at_MQ)
        highest_N = logits_NK.max(axis=1)
        logarithms_N = highest_N + np.log(np.exp(logits_NK - highest_N[:, None]).sum(axis=1))
        losses_N = logarithms_N - logits_NK[self._each_N, self._labels_N]
        return float(losses_N.mean() + (self._of.l2_M @ (at_MQ * at_MQ)).sum() / 2)

    def gradient(self, at_MQ: Floats) -> Floats:
        errors_NK = self._shares(at_MQ)
        errors_NK[self._each_N, self._labels_N] -= 1
        gradient: Floats = self._of.rows_NM.T @ (errors_NK @ self._contrasts_KQ) / len(errors_NK)
        return gradient + self._of.l2_M[:, None] * at_MQ

    def product(self, at_MQ: Floats, direction_MQ: Floats) -> Floats:
        shares_NK = self._shares(at_MQ)
        moved_NK = self.logits(direction_MQ)
        slopes_NK = shares_NK * (moved_NK - (shares_NK * moved_NK).sum(axis=1, keepdims=True))
        product: Floats = self._of.rows_NM.T @ (slopes_NK @ self._contrasts_KQ) / len(slopes_NK)
        return product + self._of.l2_M[:, None] * direction_MQ

    def hessian(self, at_MQ: Floats) -> Floats:
        rows_NM, shares_NK = self._of.rows_NM, self._shares(at_MQ)
        mean_NQ = shares_NK @ self._contrasts_KQ
        size, num = self._of.num_coordinates, self.num_contrasts
        hessian = np.empty((num, size, num, size))
        for one in range(num):
            for other in range(one + 1):
                both_K = self._contrasts_KQ[:, one] * self._contrasts_KQ[:, other]
                weights_N = shares_NK @ both_K - mean_NQ[:, one] * mean_NQ[:, other]
                block_MM = rows_NM.T @ (rows_NM * weights_N[:, None]) / len(rows_NM)
                hessian[one, :, other, :], hessian[other, :, one, :] = block_MM, block_MM.T
        whole: Floats = hessian.reshape(num * size, num * size)
        whole[np.diag_indices(num * size)] += np.tile(self._of.l2_M, num)
        return whole

    def outputs(self, at_MQ: Floats) -> Floats:
        outputs_MK: Floats = at_MQ @ self._contrasts_KQ.T
        return outputs_MK

    def _shares(self, at_MQ: Floats) -> Floats:
        """The probabilities [N, K] of the classes."""
        logits_NK = self.logits(at_MQ)
        shares_NK: Floats = np.exp(logits_NK - logits_NK.max(axis=1, keepdims=True))
        shares_NK /= shares_NK.sum(axis=1, keepdims=True)
        return shares_NK


def _contrasts(num: int) -> Floats:
    """Orthonormal columns [K, K − 1], each orthogonal to (1, …, 1): Helmert's."""
    found = np.zeros((num, num - 1))
    for at in range(1, num):
        found[:at, at - 1] = 1.0
        found[at, at - 1] = -at
        found[:, at - 1] /= np.sqrt(at * (at + 1))
    return found

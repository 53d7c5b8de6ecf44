"""Exact theory of any update that is linear in the weights, the gradient and the states, on quadratics.

Along an eigenvector of curvature λ the gradient is λ·w + noise, so that an update multiplies (w, states) by the matrix
M(λ) = A + λ·b·(1, 0, …, 0) and adds b·noise. Errors shrink like the k-th power of the spectral radius of M (Lessard,
Recht and Packard 2016, section 2.2). The stationary covariance P solves the discrete Lyapunov equation
P = M·P·Mᵀ + Q, where Q is the covariance of what the noise adds (Box and Jenkins 1970 for the scalar case).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.analysis.stability import Method

Floats = NDArray[np.float64]
# A radius below 1 by less than this counts as 1.
_ROUNDING = 1e-12
# Limits are searched on a grid of this many points between these multiples of 1/L, then by bisection.
_GRID = np.logspace(-6, 6, 241)
_BISECTIONS = 60


@dataclass(frozen=True)
class LinearIteration:
    """One update: A [n, n] acts on (w, states), b [n] on the gradient, c [n] on standard normal numbers; w is first."""

    without_gradient: Floats
    of_gradient: Floats
    of_normal: Floats

    def matrix(self, eigenvalue: float) -> Floats:
        """Give M(λ), [n, n]."""
        found = self.without_gradient.copy()
        found[:, 0] += eigenvalue * self.of_gradient
        return found

    def contraction(self, eigenvalue: float) -> float:
        """Give the asymptotic factor of the error per update. Above 1 the error grows."""
        matrix = self.matrix(eigenvalue)
        return float(np.abs(np.linalg.eigvals(matrix)).max()) if np.isfinite(matrix).all() else math.inf

    def is_stable(self, eigenvalue: float) -> bool:
        """Whether errors vanish."""
        return self.contraction(eigenvalue) < 1 - _ROUNDING

    def oscillates(self, eigenvalue: float) -> bool:
        """Whether a run oscillates around the minimum: a dominant root is complex or negative."""
        roots = np.linalg.eigvals(self.matrix(eigenvalue))
        largest = roots[np.argmax(np.abs(roots))]
        # A double root is computed with the square root of the rounding error.
        return bool(abs(largest.imag) > 1e-6 * abs(largest) or largest.real < 0)

    @property
    def keeps_minima(self) -> bool:
        """Whether a run at a minimum stays there: without a gradient some values of the states keep every w."""
        size = len(self.of_gradient)
        rest = np.eye(size) - self.without_gradient
        states, *_ = np.linalg.lstsq(rest[:, 1:], -rest[:, 0], rcond=None)
        return bool(np.abs(rest[:, 0] + rest[:, 1:] @ states).max() < 1e-9)

    def variance(self, eigenvalue: float, noise: float) -> float:
        """Give the stationary variance of a coordinate with gradient noise of this standard deviation."""
        if not self.is_stable(eigenvalue):
            return math.inf
        matrix, size = self.matrix(eigenvalue), len(self.of_gradient)
        added = noise**2 * np.outer(self.of_gradient, self.of_gradient) + np.outer(self.of_normal, self.of_normal)
        covariance = np.linalg.solve(np.eye(size * size) - np.kron(matrix, matrix), added.ravel())
        return float(covariance[0])


@dataclass(frozen=True)
class LinearRule(Method):
    """An update rule at any learning rate."""

    at: Callable[[float], LinearIteration]

    def lr_limit(self, largest: float) -> float:
        """Give the learning rate from which on runs diverge at the largest curvature L; 0 if all do.

        Infinite for L = 0, where every learning rate is neutral; 0 for L < 0, where every one diverges.
        """
        if largest <= 0:
            return 0.0 if largest < 0 else math.inf
        return _first_unstable(lambda lr: self.at(lr).is_stable(largest), 1 / largest)

    def sharpness_ceiling(self, lr: float) -> float:
        """Give the largest curvature at which training at this learning rate is stable."""
        iteration = self.at(lr)
        return _first_unstable(iteration.is_stable, 1 / lr)

    def rate(self, lr: float, eigenvalues: Sequence[float]) -> float:
        """Give the factor of the slowest direction."""
        iteration = self.at(lr)
        return max(iteration.contraction(eigenvalue) for eigenvalue in eigenvalues)

    def oscillates(self, lr: float, eigenvalue: float) -> bool:
        """Whether a run oscillates around the minimum along an eigenvector."""
        return self.at(lr).oscillates(eigenvalue)

    def variance(self, lr: float, eigenvalue: float, noise: float) -> float:
        """Give the stationary variance of a coordinate with gradient noise of this standard deviation."""
        return self.at(lr).variance(eigenvalue, noise)


def _first_unstable(is_stable: Callable[[float], bool], unit: float) -> float:
    """Give the first value at which stability ends; 0 if the smallest ones are unstable, infinite if it never ends."""
    below = float(_GRID[0]) * unit
    if not is_stable(below):
        return 0.0
    for multiple in _GRID[1:]:
        above = float(multiple) * unit
        if not is_stable(above):
            break
        below = above
    else:
        return math.inf
    for _ in range(_BISECTIONS):
        middle = (below + above) / 2
        below, above = (middle, above) if is_stable(middle) else (below, middle)
    return below

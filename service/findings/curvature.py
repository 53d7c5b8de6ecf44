"""Curvature of a landscape at a point: the eigenvalues of its Hessian, and the minimum nearby."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from service.spec.formulas.expression import Expression
from service.spec.problems import Quadratic, Surface

Floats = NDArray[np.float64]

MAX_NEWTON_STEPS = 100
# A gradient is rounding error below this share of the curvature times the size of the coordinates.
GRADIENT_TOLERANCE = 1e-13


class Curvature:
    """Value, gradient and Hessian of a surface at a point, from symbolic derivatives of the formula."""

    def __init__(self, formula: Expression) -> None:
        self.dimension = formula.dimension
        names = formula.variables
        self._seconds = [one + other for at, one in enumerate(names) for other in names[at:]]
        self._program = formula.compile(("value", *names, *self._seconds))
        self._names = names
        slopes = {one: formula.derivative(one) for one in names}
        self.is_quadratic = all(slopes[pair[0]].derivative(pair[1]).root.is_constant for pair in self._seconds)

    def at(self, point: Sequence[float] | Floats) -> tuple[float, Floats, Floats]:
        """Give (value, gradient [D], Hessian [D, D]); not finite where the formula is not."""
        with np.errstate(all="ignore"):
            where = {name: np.array([value], dtype=np.float64) for name, value in zip(self._names, point, strict=True)}
            value, *slopes = (float(output[0]) for output in self._program(np, **where))
        gradient, second = np.array(slopes[: self.dimension]), slopes[self.dimension :]
        hessian = np.array([[second[0]]] if self.dimension == 1 else [[second[0], second[1]], [second[1], second[2]]])
        return value, gradient, hessian


def is_quadratic(problem: Surface | Quadratic) -> bool:
    """Whether the curvature is constant, so that theory is exact from the first update on."""
    return isinstance(problem, Quadratic) or Curvature(problem.landscape).is_quadratic


def eigenvalues_at(problem: Surface | Quadratic, point: Sequence[float] | Floats) -> list[float] | None:
    """Give the curvatures at a point, smallest first; None if they are not finite."""
    if isinstance(problem, Quadratic):
        return sorted(problem.eigenvalues)
    _, _, hessian = Curvature(problem.landscape).at(point)
    return np.linalg.eigvalsh(hessian).tolist() if np.isfinite(hessian).all() else None


def minimum_near(problem: Surface | Quadratic, point: Sequence[float] | Floats) -> tuple[list[float], float] | None:
    """Give (position, value) of the minimum that descent from a point reaches; None if it reaches none.

    Newton's method with the eigenvalues of the Hessian made positive, so that every step is a direction of descent; a
    step is halved until the value falls (Nocedal and Wright, Numerical Optimization, 2006, section 3.4).
    """
    if isinstance(problem, Quadratic):
        return ([0.0] * problem.dimension, 0.0) if min(problem.eigenvalues) > 0 else None
    curvature = Curvature(problem.landscape)
    here = np.asarray(point, dtype=np.float64)
    for _ in range(MAX_NEWTON_STEPS):
        value, gradient, hessian = curvature.at(here)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return None
        values, vectors = np.linalg.eigh(hessian)
        scale = np.abs(values).max() * max(1.0, np.abs(here).max())
        if np.linalg.norm(gradient) <= GRADIENT_TOLERANCE * scale:
            return (here.tolist(), value) if values[0] > 0 else None
        step = -vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), 1e-3 * np.abs(values).max() + 1e-12))
        length = 1.0
        while length > 1e-10 and not curvature.at(here + length * step)[0] < value:
            length /= 2
        if length <= 1e-10:
            return (here.tolist(), value) if values[0] > 0 else None
        here = here + length * step
        if np.abs(here).max() > 1e8:
            return None
    return None

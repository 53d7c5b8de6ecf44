"""Curvature of a landscape at a point: the eigenvalues of its Hessian. Coupled weight decay is part of the loss."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.spec.formulas.expression import Expression
from service.spec.formulas.functions import FUNCTIONS
from service.spec.formulas.terms import in_order
from service.spec.problems import Quadratic, Surface

Floats = NDArray[np.float64]

# Eigenvalues of a constant Hessian below this share of the largest are rounding errors.
ROUNDING = 1e-14
# A curvature vanishes at a point if it is below the first share of the curvature at a distance of PROBE along its
# direction, or below the second share of the largest curvature there along any direction.
VANISHING = 1e-4
NEGLIGIBLE = 1e-8
PROBE = 1e-3


@dataclass(frozen=True)
class Penalty:
    """Coupled weight decay, which adds ½·decay·‖w − centre‖² to the loss that a method minimises.

    The centre is the origin, None, unless the coordinates are those of a landscape that has moved.
    """

    decay: float = 0.0
    centre: tuple[float, ...] | None = None

    def offset(self, point: Sequence[float] | Floats) -> Floats:
        """Give w − centre."""
        where = np.asarray(point, dtype=np.float64)
        return where if self.centre is None else where - np.array(self.centre)

    def value(self, point: Sequence[float] | Floats) -> float:
        """Give the penalty at a point."""
        return float(self.decay * (self.offset(point) ** 2).sum() / 2)


NO_PENALTY = Penalty()


class Curvature:
    """Value, gradient and Hessian of a surface at a point, from symbolic derivatives of the formula."""

    def __init__(self, formula: Expression, penalty: Penalty = NO_PENALTY) -> None:
        self.dimension = formula.dimension
        names = formula.variables
        self._seconds = [one + other for at, one in enumerate(names) for other in names[at:]]
        self._program = formula.compile(("value", *names, *self._seconds))
        self._names = names
        self._penalty = penalty
        slopes = {one: formula.derivative(one) for one in names}
        # |x| and max(x, y) have no curvature, but a kink; where(x < 0, 1, 2) has a jump.
        operations = {term.operation for term in in_order([formula.root])}
        is_smooth = all(FUNCTIONS[name].is_smooth for name in operations.intersection(FUNCTIONS))
        self.is_quadratic = is_smooth and all(
            slopes[pair[0]].derivative(pair[1]).root.is_constant for pair in self._seconds
        )

    def at(self, point: Sequence[float] | Floats) -> tuple[float, Floats, Floats]:
        """Give (value, gradient [D], Hessian [D, D]) with the penalty; not finite where the formula is not."""
        with np.errstate(all="ignore"):
            where = {name: np.array([value], dtype=np.float64) for name, value in zip(self._names, point, strict=True)}
            value, *slopes = (float(output[0]) for output in self._program(np, **where))
            gradient, second = np.array(slopes[: self.dimension]), slopes[self.dimension :]
            flat = self.dimension == 1
            hessian = np.array([[second[0]]] if flat else [[second[0], second[1]], [second[1], second[2]]])
            gradient = gradient + self._penalty.decay * self._penalty.offset(point)
            return value + self._penalty.value(point), gradient, hessian + self._penalty.decay * np.eye(self.dimension)

    def eigen(self, point: Sequence[float] | Floats) -> tuple[Floats, Floats]:
        """Give (eigenvalues, eigenvectors in columns) at a point of finite curvature; vanishing eigenvalues are 0.

        At the minimum of x⁴ the curvature vanishes, but no search ends exactly there. Such a curvature is much smaller
        than that nearby along the same direction.
        """
        here = np.asarray(point, dtype=np.float64)
        values, vectors = np.linalg.eigh(self.at(here)[2])
        values = np.where(np.abs(values) <= ROUNDING * np.abs(values).max(), 0.0, values)
        if not self.is_quadratic:
            along, any_direction = self._nearby(here, vectors)
            limit = np.maximum(VANISHING * along, NEGLIGIBLE * any_direction)
            values = np.where(np.abs(values) <= limit, 0.0, values)
        return values, vectors

    def _nearby(self, here: Floats, vectors: Floats) -> tuple[Floats, float]:
        """Give (largest curvature along each direction [D], largest along any) at a distance of PROBE."""
        reach = PROBE * max(1.0, np.abs(here).max())
        ways = [(at, side * reach * way) for at, way in enumerate(vectors.T) for side in (-1, 1)]
        along, any_direction = np.zeros(self.dimension), 0.0
        for at, way in ways:
            hessian = self.at(here + way)[2]
            if np.isfinite(hessian).all():
                along[at] = max(along[at], abs(vectors[:, at] @ hessian @ vectors[:, at]))
                any_direction = max(any_direction, float(np.abs(hessian).max()))
        return along, any_direction


def is_quadratic(problem: Surface | Quadratic) -> bool:
    """Whether the curvature is constant, so that theory is exact from the first update on."""
    return isinstance(problem, Quadratic) or Curvature(problem.landscape).is_quadratic


def eigenvalues_at(
    problem: Surface | Quadratic, point: Sequence[float] | Floats, penalty: Penalty = NO_PENALTY
) -> list[float] | None:
    """Give the curvatures at a point, smallest first, 0 where they vanish; None if they are not finite."""
    if isinstance(problem, Quadratic):
        return sorted(value + penalty.decay for value in problem.eigenvalues)
    curvature = Curvature(problem.landscape, penalty)
    return curvature.eigen(point)[0].tolist() if np.isfinite(curvature.at(point)[2]).all() else None

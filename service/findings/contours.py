"""Loss and gradient of a surface or quadratic at many points, for maps."""

import numpy as np
from numpy.typing import NDArray

from service.spec.problems.quadratic import Quadratic
from service.spec.problems.surface import Surface

Floats = NDArray[np.float64]


def loss_at(problem: Surface | Quadratic, *coordinates: Floats) -> Floats:
    """Give the loss at points of a problem of at most two dimensions; not finite where the formula is not.

    Args:
        problem: A surface or quadratic of one or two dimensions.
        coordinates: x, or x and y, arrays of equal shape.
    """
    return _with_gradient(problem, coordinates)[0]


def gradient_at(problem: Surface | Quadratic, *coordinates: Floats) -> list[Floats]:
    """Give the gradient at points: for each coordinate an array of their shape."""
    return _with_gradient(problem, coordinates)[1]


def _with_gradient(problem: Surface | Quadratic, coordinates: tuple[Floats, ...]) -> tuple[Floats, list[Floats]]:
    with np.errstate(all="ignore"):
        if isinstance(problem, Surface):
            formula = problem.landscape
            program = formula.compile(("value", *formula.variables))
            outputs = list(program(np, **dict(zip(formula.variables, coordinates, strict=True))))
        else:
            outputs = _quadratic(problem, coordinates)
        # A constant output, such as the gradient of a slope, is a number; adding zeros makes it an array.
        loss, *gradient = (np.asarray(one + np.zeros_like(coordinates[0]), dtype=np.float64) for one in outputs)
    return loss, gradient


def _quadratic(problem: Quadratic, coordinates: tuple[Floats, ...]) -> list[Floats]:
    """Give ½ Σ λᵢ uᵢ² and its gradient, where u are the coordinates along the rotated axes."""
    if problem.dimension == 1:
        (x,), (curvature,) = coordinates, problem.eigenvalues
        return [curvature * x**2 / 2, curvature * x]
    (x, y), (along, across) = coordinates, problem.eigenvalues
    cos, sin = np.cos(np.deg2rad(problem.angle)), np.sin(np.deg2rad(problem.angle))
    first, second = cos * x + sin * y, -sin * x + cos * y
    return [
        (along * first**2 + across * second**2) / 2,
        cos * along * first - sin * across * second,
        sin * along * first + cos * across * second,
    ]

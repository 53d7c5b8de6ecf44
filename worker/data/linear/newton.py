"""Newton's method on a convex objective, and a proof that it has a minimum.

Nocedal and Wright, Numerical Optimization, 2006, chapters 3 and 7. Without penalty cross-entropy has a minimum unless
there is a direction along which no example's right class loses to another one, and some win (Albert and Anderson, On
the Existence of Maximum Likelihood Estimates in Logistic Regression Models, 1984). Along such a direction δ the leads s
of right classes are at least 0 and at most √2·R·‖δ‖, where R is the largest norm of an example. The slope |gᵀδ| is
their mean, and δᵀHδ is at most the mean of their squares: δᵀHδ ≤ √2·R·‖δ‖·|gᵀδ|. A point at which √2·R·√(gᵀH⁻¹g) is
less than the root of the smallest eigenvalue of H therefore proves that there is a minimum.
"""

from typing import NamedTuple

import numpy as np

from worker.data.linear.design import Floats
from worker.data.linear.objective import Objective

MAX_STEPS = 80
# Halvings of a step.
MAX_HALVINGS = 40
# The search ends at a gradient g with √(gᵀH⁻¹g) below this; the loss is then above the least one by half its square.
TOLERANCE = 1e-11
# Most products of a search without a matrix, over all steps.
MAX_PRODUCTS = 3_000


class NoMinimum(Exception):
    """The loss falls for ever along a direction."""


class Found(NamedTuple):
    """A minimiser [M, Q], the root of gᵀH⁻¹g there, and the Hessian where it was computed."""

    at_MQ: Floats
    decrement: float
    hessian: Floats | None


def with_matrices(objective: Objective, start_MQ: Floats) -> Found | None:
    """Minimise with solutions of linear systems; None where the Hessian becomes singular or no step is left.

    Raises:
        NoMinimum: The loss falls for ever.
    """
    at_MQ = start_MQ
    for _ in range(MAX_STEPS):
        if objective.has_no_minimum(at_MQ):
            raise NoMinimum
        gradient_MQ = objective.gradient(at_MQ)
        hessian = objective.hessian(at_MQ)
        try:
            factor = np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            return None
        half = np.linalg.solve(factor, gradient_MQ.T.ravel())
        decrement = float(np.linalg.norm(half))
        if decrement <= TOLERANCE:
            return Found(at_MQ, decrement, hessian)
        step_MQ = -np.linalg.solve(factor.T, half).reshape(at_MQ.T.shape).T
        moved_MQ = _moved(objective, at_MQ, step_MQ, decrement**2)
        if moved_MQ is None:
            return Found(at_MQ, decrement, hessian) if decrement <= np.sqrt(TOLERANCE) else None
        at_MQ = moved_MQ
    return None


def without_matrices(objective: Objective, start_MQ: Floats) -> Found | None:
    """Minimise with conjugate gradients for the systems; None where the bound of products ends the search."""
    at_MQ, num_left = start_MQ, MAX_PRODUCTS
    for _ in range(MAX_STEPS):
        gradient_MQ = objective.gradient(at_MQ)
        step_MQ, used = _conjugate_gradients(objective, at_MQ, gradient_MQ, num_left)
        num_left -= used
        decrement = float(np.sqrt(max(0.0, -(gradient_MQ * step_MQ).sum())))
        if decrement <= TOLERANCE:
            return Found(at_MQ, decrement, None)
        moved_MQ = _moved(objective, at_MQ, step_MQ, decrement**2)
        if moved_MQ is None or num_left <= 0:
            return Found(at_MQ, decrement, None) if decrement <= np.sqrt(TOLERANCE) else None
        at_MQ = moved_MQ
    return None


def proves_minimum(found: Found, rows_NM: Floats) -> bool:
    """Whether an objective without penalty has a minimum, by the bound of this module."""
    assert found.hessian is not None
    smallest = float(np.linalg.eigvalsh(found.hessian)[0])
    largest_norm = float(np.sqrt((rows_NM * rows_NM).sum(axis=1).max()))
    return smallest > 0 and np.sqrt(2.0) * largest_norm * found.decrement < np.sqrt(smallest)


def _moved(objective: Objective, at_MQ: Floats, step_MQ: Floats, slope: float) -> Floats | None:
    """Halve a step until the loss falls by a tenth of what its slope predicts; None if it never does."""
    value = objective.value(at_MQ)
    # Below this fall rounding errors of the loss decide; the full step is then as good as any.
    if slope <= 1e-14 * max(1.0, abs(value)):
        moved_MQ: Floats = at_MQ + step_MQ
        before, after = objective.gradient(at_MQ), objective.gradient(moved_MQ)
        return moved_MQ if np.linalg.norm(after) < np.linalg.norm(before) else None
    length = 1.0
    for _ in range(MAX_HALVINGS):
        moved_MQ = at_MQ + length * step_MQ
        if objective.value(moved_MQ) <= value - 0.1 * length * slope:
            return moved_MQ
        length /= 2
    return None


def _conjugate_gradients(objective: Objective, at_MQ: Floats, gradient_MQ: Floats, num_left: int) -> tuple[Floats, int]:
    """The step −H⁻¹g, more exactly the smaller the gradient, and the number of products."""
    step_MQ, rest_MQ = np.zeros_like(gradient_MQ), -gradient_MQ
    direction_MQ, square = rest_MQ, float((rest_MQ * rest_MQ).sum())
    size = np.sqrt(square)
    enough = min(0.1, np.sqrt(size)) * size
    for used in range(1, num_left + 1):
        product_MQ = objective.product(at_MQ, direction_MQ)
        curvature = float((direction_MQ * product_MQ).sum())
        if curvature <= 0:
            return step_MQ, used
        length = square / curvature
        step_MQ = step_MQ + length * direction_MQ
        rest_MQ = rest_MQ - length * product_MQ
        new_square = float((rest_MQ * rest_MQ).sum())
        if np.sqrt(new_square) <= enough:
            return step_MQ, used
        direction_MQ = rest_MQ + (new_square / square) * direction_MQ
        square = new_square
    return step_MQ, num_left

"""The minimum of a landscape that descent from a point reaches, with coupled weight decay as part of the loss."""

import math
from collections.abc import Sequence

import numpy as np

from service.findings.curvature import NO_PENALTY, ROUNDING, Curvature, Floats, Penalty
from service.spec.problems import Quadratic, Surface

MAX_NEWTON_STEPS = 100
# The search ends at steps below this share of the size of the coordinates.
STEP_TOLERANCE = 1e-13
# A gradient is 0 below this share of the curvature times the size of the coordinates.
GRADIENT_TOLERANCE = 1e-8
# Distance at which a direction without curvature is compared with the minimum.
REACH = 1e-2
# Distance at which the gradient of a smooth minimum is still small; at a kink, as that of |x|, it is not.
KINK = 1e-8
# At this distance the value of a smooth minimum has risen by a millionth of the rise at REACH, that of a kink by a
# thousandth; a larger share of it is a kink or a jump.
CLOSE = 1e-5
CLOSE_SHARE = 1e-4
FLOAT_ERROR = 8 * float(np.finfo(np.float64).eps)


def minimum_near(
    problem: Surface | Quadratic, point: Sequence[float] | Floats, penalty: Penalty = NO_PENALTY
) -> tuple[list[float], float] | None:
    """Give (position, loss there without penalty) of the minimum that descent from a point reaches; None without one.

    If the curvature is constant, the minimum is a solution of a linear system. Otherwise it is searched by Newton's
    method with the eigenvalues of the Hessian made positive, so that every step is a direction of descent; a step is
    halved until the value falls (Nocedal and Wright, Numerical Optimization, 2006, section 3.4).
    """
    here = np.asarray(point, dtype=np.float64)
    if isinstance(problem, Quadratic):
        found = _of_quadratic(problem, here, penalty)
        return None if found is None else (found.tolist(), _quadratic_loss(problem, found))
    curvature = Curvature(problem.landscape, penalty)
    if curvature.is_quadratic:
        values, vectors = curvature.eigen(here)
        found = _solution(here, curvature.at(here)[1], values, vectors)
    else:
        found = _descent(curvature, here)
    return None if found is None else (found.tolist(), curvature.at(found)[0] - penalty.value(found))


def _turn(problem: Quadratic) -> Floats:
    """Give the eigenvectors of a quadratic in columns; its angle turns them counter-clockwise."""
    cos, sin = math.cos(math.radians(problem.angle)), math.sin(math.radians(problem.angle))
    return np.array([[cos, -sin], [sin, cos]]) if problem.angle else np.eye(problem.dimension)


def _of_quadratic(problem: Quadratic, here: Floats, penalty: Penalty) -> Floats | None:
    eigenvalues, vectors = np.array(problem.eigenvalues), _turn(problem)
    gradient = vectors @ (eigenvalues * (vectors.T @ here)) + penalty.decay * penalty.offset(here)
    return _solution(here, gradient, eigenvalues + penalty.decay, vectors)


def _quadratic_loss(problem: Quadratic, point: Floats) -> float:
    return float((np.array(problem.eigenvalues) * (_turn(problem).T @ point) ** 2).sum() / 2)


def _solution(here: Floats, gradient: Floats, values: Floats, vectors: Floats) -> Floats | None:
    """Give the nearest minimum of a quadratic; None if a curvature is negative, or 0 along a slope."""
    slope = vectors.T @ gradient
    is_flat = values == 0
    size = np.abs(values).max() * max(1.0, np.abs(here).max())
    if (values < 0).any() or (np.abs(slope[is_flat]) > 10 * ROUNDING * size).any():
        return None
    found: Floats = here - vectors @ np.where(is_flat, 0.0, slope / np.where(is_flat, 1.0, values))
    # Rounding errors of the step.
    return np.where(np.abs(found) <= FLOAT_ERROR * np.abs(here).max(), 0.0, found)


def _descent(curvature: Curvature, here: Floats) -> Floats | None:
    """Search the minimum of a surface with variable curvature."""
    for _ in range(MAX_NEWTON_STEPS):
        value, gradient, hessian = curvature.at(here)
        if not (np.isfinite(value) and np.isfinite(gradient).all() and np.isfinite(hessian).all()):
            return None
        values, vectors = np.linalg.eigh(hessian)
        # Where the Hessian is not positive, small eigenvalues would make steps far beyond the nearest minimum.
        smallest = (1e-10 if values[0] > 0 else 1e-3) * np.abs(values).max() + 1e-300
        step = -vectors @ ((vectors.T @ gradient) / np.maximum(np.abs(values), smallest))
        length = _length(curvature, here, step, value, gradient)
        if length == 0 or np.linalg.norm(step) <= STEP_TOLERANCE * max(1.0, np.abs(here).max()):
            break
        here = here + length * step
        if np.abs(here).max() > 1e8:
            return None
    return here if _is_minimum(curvature, here) else None


def _length(curvature: Curvature, here: Floats, step: Floats, value: float, gradient: Floats) -> float:
    """Halve a step until the value falls, or the gradient where rounding errors hide a change of the value.

    0 if neither falls.
    """
    length = 1.0
    while length > 1e-10:
        there, slope, _ = curvature.at(here + length * step)
        if there < value:
            return length
        if there <= value + FLOAT_ERROR * max(1.0, abs(value)) and np.linalg.norm(slope) < np.linalg.norm(gradient):
            return length
        length /= 2
    return 0.0


def _is_minimum(curvature: Curvature, here: Floats) -> bool:
    """Whether the gradient vanishes, no curvature is negative, and the value falls along no direction without one."""
    value, gradient, hessian = curvature.at(here)
    if not (np.isfinite(gradient).all() and np.isfinite(hessian).all()):
        return False
    values, vectors = curvature.eigen(here)
    size = max(1.0, np.abs(here).max())
    sides = [side * way for way in vectors.T for side in (-1, 1)]
    rise = np.array([curvature.at(here + REACH * size * way)[0] - value for way in sides])
    highest = np.abs(rise[np.isfinite(rise)]).max(initial=0)
    # The largest slope nearby: of the curvature, or of the rise where the curvature vanishes.
    steepest = max(np.abs(values).max() * size, highest / (REACH * size))
    close = np.array([curvature.at(here + CLOSE * size * way)[0] - value for way in sides])
    is_kink = (np.abs(close) > CLOSE_SHARE * highest).any() or any(
        np.linalg.norm(curvature.at(here + KINK * size * way)[1]) > 0.1 * steepest for way in sides
    )
    # A surface that is constant to rounding errors, such as tanh(x) at -20, has no minimum there.
    error = FLOAT_ERROR * abs(value)
    return bool(
        not is_kink
        and np.linalg.norm(gradient) <= GRADIENT_TOLERANCE * steepest
        and (values >= 0).all()
        and (rise[np.repeat(values == 0, 2)] >= -error).all()
        and (rise > error).any()
    )

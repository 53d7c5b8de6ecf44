"""Exact theory of gradient methods on quadratics: stability, rate of convergence, best settings.

Along an eigenvector of curvature λ, gradient descent, heavy ball, Nesterov's method and quasi-hyperbolic momentum are

    w(k+1) = (1 + β)·w(k) − β·w(k−1) − lr·(p·g(k) − q·g(k−1)),    g = λ·w + noise

where p and q depend on the method, so that one formula covers all methods. With s = lr·λ, the error after k updates
shrinks like the k-th power of the larger modulus of the roots z of z² − (1 + β − p·s)·z + (β − q·s).

The methods are those of PyTorch: v ← β·v + g, w ← w − lr·v. Sources: Polyak 1964 (heavy ball), Nesterov 2004 and
Lessard, Recht and Packard 2016 (Nesterov's best settings), Ma and Yarats 2019 (quasi-hyperbolic momentum), Jury 1964
(the stability of a polynomial of degree two), Cohen et al. 2021 and 2022 (sharpness ceilings).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

# Kinds with theory in this module. `sgd` with a momentum is the heavy ball.
LINEAR_KINDS = ("sgd", "momentum", "nesterov", "quasi_hyperbolic")
# Kinds whose steps on a quadratic are averages of gradients with beta1, divided by a preconditioner.
PRECONDITIONED_KINDS = ("adam", "adamw")


class Method(Protocol):
    """A method whose runs on a quadratic settle around the minimum with a known variance."""

    def variance(self, lr: float, eigenvalue: float, noise: float) -> float:
        """Give the stationary variance of a coordinate if each gradient has noise of this standard deviation."""

    def stationary_loss(
        self,
        lr: float,
        eigenvalues: Sequence[float],
        noise: float,
        batch_size: int = 1,
        *,
        accumulate: int = 1,
        weight_decay: float = 0.0,
    ) -> float:
        """Give the stationary mean loss above that at the point where the runs settle: Σ ½·λ·variance.

        An update uses the mean of ``accumulate`` gradients, each with the mean noise of a batch. Coupled weight decay
        contracts the iteration with λ + weight_decay, while the recorded loss has the curvature λ.
        """
        std = noise / math.sqrt(batch_size * accumulate)
        curved = [value for value in eigenvalues if value != 0]
        return sum(value * self.variance(lr, value + weight_decay, std) / 2 for value in curved)


@dataclass(frozen=True)
class LinearMethod(Method):
    """A method that is linear in the gradients, with momentum β and the weights p and q of the last two gradients."""

    momentum: float
    newest: float
    before: float

    @property
    def largest_step(self) -> float:
        """Give the stability limit of s = lr·λ: a run is stable along an eigenvector if and only if 0 < s < limit."""
        if self.newest == self.before:
            return math.inf if self.newest == 0 else 0.0
        return 2 * (1 + self.momentum) / (self.newest + self.before)

    def lr_limit(self, largest: float) -> float:
        """Give the learning rate from which on runs diverge at the largest curvature L.

        Infinite for L = 0, where every learning rate is neutral; 0 for L < 0, where every one diverges.
        """
        if largest <= 0:
            return 0.0 if largest < 0 else math.inf
        return self.largest_step / largest

    def sharpness_ceiling(self, lr: float) -> float:
        """Give the largest curvature at which training at this learning rate is stable."""
        return self.largest_step / lr

    def polynomial(self, step: float) -> tuple[float, float]:
        """Give (sum, product) of the two roots at s = lr·λ: z² − sum·z + product = 0."""
        return 1 + self.momentum - self.newest * step, self.momentum - self.before * step

    def contraction(self, step: float) -> float:
        """Give the asymptotic factor of the error per update at s = lr·λ. Above 1 the error grows."""
        total, product = self.polynomial(step)
        discriminant = total * total - 4 * product
        if discriminant < 0:
            return math.sqrt(product)
        return (abs(total) + math.sqrt(discriminant)) / 2

    def rate(self, lr: float, eigenvalues: Sequence[float]) -> float:
        """Give the factor of the slowest direction."""
        return max(self.contraction(lr * eigenvalue) for eigenvalue in eigenvalues)

    def oscillates(self, lr: float, eigenvalue: float) -> bool:
        """Whether a run oscillates around the minimum: complex roots, or a dominant negative root."""
        total, product = self.polynomial(lr * eigenvalue)
        return total * total < 4 * product or total < 0

    def variance(self, lr: float, eigenvalue: float, noise: float) -> float:
        """Give the stationary variance of a coordinate if each gradient has noise of this standard deviation.

        With noise the iteration is an ARMA(2, 1) process, whose variance is known (Box and Jenkins 1970, section 3.4).
        Infinite if the run is not stable.
        """
        step = lr * eigenvalue
        if not 0 < step < self.largest_step:
            return math.inf if noise else 0.0
        total, product = self.polynomial(step)
        p, q = self.newest, self.before
        above = (p * p + q * q) * (1 + product) - 2 * p * q * total
        below = (1 - product) * ((1 + product) ** 2 - total * total)
        return (lr * noise) ** 2 * above / below


@dataclass(frozen=True)
class BestSettings:
    """The constant setting with the fastest worst case between two curvatures, and its factor per update."""

    lr: float
    momentum: float
    rate: float


def linear_method(kind: str, settings: Mapping[str, float]) -> LinearMethod | None:
    """Give the theory of an optimizer with these hyper-parameters; None if it is not linear."""
    beta = float(settings.get("momentum", 0.0))
    if kind in ("sgd", "momentum"):
        # Without momentum torch has no velocity, so dampening has no effect.
        return LinearMethod(beta, 1 - float(settings.get("dampening", 0.0)) if beta else 1.0, 0.0)
    if kind == "nesterov":
        return LinearMethod(beta, 1 + beta, beta)
    if kind == "quasi_hyperbolic":
        nu = float(settings.get("nu", 0.7))
        return LinearMethod(beta, 1 - nu * beta, beta * (1 - nu))
    return None


def sharpness_ceiling(kind: str, settings: Mapping[str, float]) -> float | None:
    """Give the largest curvature of the loss at which full-batch training is stable at ``lr``; None without a theory.

    Coupled weight decay adds to the curvature, so it lowers the ceiling of a linear method. For Adam the ceiling limits
    the curvature divided by the preconditioner: 38/lr at beta1 = 0.9.
    """
    lr = float(settings["lr"])
    if method := linear_method(kind, settings):
        return method.sharpness_ceiling(lr) - float(settings.get("weight_decay", 0.0))
    if kind in PRECONDITIONED_KINDS:
        beta1 = float(settings.get("beta1", 0.9))
        return (2 + 2 * beta1) / ((1 - beta1) * lr)
    return None


def critical_momentum(kind: str, settings: Mapping[str, float], curvatures: Sequence[float]) -> float | None:
    """Give the β with the best rate at this learning rate, at which the slowest direction is critically damped.

    With the other hyper-parameters fixed, the roots have the sum a·β + b and the product c·β. They are equal at
    √β = (√c − √(c − a·b))/a; above it they are complex. For the heavy ball this is β = (1 − √(p·s))², for Nesterov's
    method (1 − √s)/(1 + √s).

    None if no β in [0, 1) is critical, if another direction is slower there, or without a momentum.
    """
    if kind == "sgd" and not settings.get("momentum", 0.0):
        return None
    critical = [_double_root(kind, settings, float(settings["lr"]) * value) for value in curvatures]
    known = [beta for beta in critical if beta is not None]
    if not known or min(curvatures) <= 0:
        return None
    beta = max(known)
    slowest = curvatures[critical.index(beta)]
    method = linear_method(kind, {**settings, "momentum": beta})
    if method is None or not 0 <= beta < 1:
        return None
    lr = float(settings["lr"])
    # A double root is computed with the square root of the rounding error.
    is_fastest = method.rate(lr, curvatures) <= method.contraction(lr * slowest) + 1e-6
    return beta if is_fastest else None


def _double_root(kind: str, settings: Mapping[str, float], step: float) -> float | None:
    """Give the β at which both roots are equal at s = lr·λ; None without one."""
    if kind in ("sgd", "momentum"):
        a, b, c = 1.0, 1 - (1 - float(settings.get("dampening", 0.0))) * step, 1.0
    elif kind == "nesterov":
        a, b, c = 1 - step, 1 - step, 1 - step
    elif kind == "quasi_hyperbolic":
        nu = float(settings.get("nu", 0.7))
        a, b, c = 1 + nu * step, 1 - step, 1 - (1 - nu) * step
    else:
        return None
    if a == 0 or c < 0 or c - a * b < 0:
        return None
    return ((math.sqrt(c) - math.sqrt(c - a * b)) / a) ** 2


def best_settings(kind: str, smallest: float, largest: float) -> BestSettings | None:
    """Give the best constant setting between curvatures μ and L; None if theory has no formula.

    The settings have no dampening; with it, the best learning rate of the heavy ball is divided by 1 − dampening. The
    best heavy ball has a double root, so its error is proportional to k·rate^k.

    Raises:
        ValueError: Unless 0 < μ ≤ L; otherwise there is no minimum.
    """
    if not 0 < smallest <= largest:
        raise ValueError(f"needs 0 < smallest ≤ largest curvature (got {smallest:g} and {largest:g})")
    condition = largest / smallest
    if kind == "sgd":
        return BestSettings(2 / (smallest + largest), 0.0, (condition - 1) / (condition + 1))
    if kind == "momentum":
        rate = (math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)
        return BestSettings((2 / (math.sqrt(largest) + math.sqrt(smallest))) ** 2, rate**2, rate)
    if kind == "nesterov":
        root = math.sqrt(3 * condition + 1)
        return BestSettings(4 / (3 * largest + smallest), (root - 2) / (root + 2), 1 - 2 / root)
    return None


def updates_to_escape(lr: float, curvature: float, offset: float, radius: float) -> float:
    """Count the updates of gradient descent from a distance ``offset`` to a distance ``radius`` of a saddle's ridge.

    ``curvature`` is the negative one; each update multiplies the distance by 1 + lr·|curvature|. Infinite for offset 0.
    """
    if offset == 0:
        return math.inf
    return max(0, math.ceil(math.log(radius / abs(offset)) / math.log1p(lr * abs(curvature))))

"""What do methods of descent do on a quadratic, exactly: when are they stable, how fast, at which settings best?

Along an eigenvector of curvature λ, gradient descent, heavy ball, Nesterov's method and quasi-hyperbolic momentum are

    w(k+1) = (1 + β)·w(k) − β·w(k−1) − lr·(p·g(k) − q·g(k−1)),    g = λ·w + noise

with a p and a q of their own; one formula for each question serves them all. With s = lr·λ the roots z of
z² − (1 + β − p·s)·z + (β − q·s) tell the rest: an error shrinks like the larger modulus to the k.

Forms are PyTorch's: v ← β·v + g, w ← w − lr·v. Sources: Polyak 1964 (heavy ball), Nesterov 2004 and Lessard, Recht and
Packard 2016 (Nesterov's best settings), Ma and Yarats 2019 (quasi-hyperbolic momentum), Jury 1964 (the stability of a
polynomial of degree two), Cohen et al. 2021 and 2022 (sharpness ceilings).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# Whose theory is here. `sgd` with a momentum is the heavy ball.
LINEAR_KINDS = ("sgd", "momentum", "nesterov", "quasi_hyperbolic")
# Whose steps on a quadratic are those of gradients averaged with beta1 and divided by a preconditioner.
PRECONDITIONED_KINDS = ("adam", "adamw")


@dataclass(frozen=True)
class LinearMethod:
    """A method that is linear in the gradients: its momentum β, and the weights p and q of the last two gradients."""

    momentum: float
    newest: float
    before: float

    @property
    def largest_step(self) -> float:
        """Give the stability limit of s = lr·λ: a run is stable along an eigenvector iff 0 < s < this."""
        if self.newest == self.before:
            return math.inf if self.newest == 0 else 0.0
        return 2 * (1 + self.momentum) / (self.newest + self.before)

    def lr_limit(self, largest: float) -> float:
        """Give the rate from which on runs diverge at the largest curvature L; infinite where L is not positive."""
        return self.largest_step / largest if largest > 0 else math.inf

    def sharpness_ceiling(self, lr: float) -> float:
        """Give the largest curvature at which training at this rate is stable."""
        return self.largest_step / lr

    def polynomial(self, step: float) -> tuple[float, float]:
        """Give (sum, product) of the two roots at s = lr·λ: z² − sum·z + product = 0."""
        return 1 + self.momentum - self.newest * step, self.momentum - self.before * step

    def contraction(self, step: float) -> float:
        """Give the factor by which an error shrinks at each update, in the long run, at s = lr·λ. Above 1 it grows."""
        total, product = self.polynomial(step)
        discriminant = total * total - 4 * product
        if discriminant < 0:
            return math.sqrt(product)
        return (abs(total) + math.sqrt(discriminant)) / 2

    def rate(self, lr: float, eigenvalues: Sequence[float]) -> float:
        """Give the factor of the slowest direction."""
        return max(self.contraction(lr * eigenvalue) for eigenvalue in eigenvalues)

    def oscillates(self, step: float) -> bool:
        """Tell whether a run swings around the minimum at s = lr·λ: complex roots, or a negative one that dominates."""
        total, product = self.polynomial(step)
        return total * total < 4 * product or total < 0

    def variance(self, lr: float, eigenvalue: float, noise: float) -> float:
        """Give the variance at which a coordinate settles when each gradient has noise of this standard deviation.

        With noise the iteration is an ARMA(2, 1) process, whose variance is known (Box and Jenkins 1970, section 3.4).
        Infinite where the run is not stable.
        """
        step = lr * eigenvalue
        if not 0 < step < self.largest_step:
            return math.inf if noise else 0.0
        total, product = self.polynomial(step)
        p, q = self.newest, self.before
        above = (p * p + q * q) * (1 + product) - 2 * p * q * total
        below = (1 - product) * ((1 + product) ** 2 - total * total)
        return (lr * noise) ** 2 * above / below

    def stationary_loss(self, lr: float, eigenvalues: Sequence[float], noise: float, batch_size: int = 1) -> float:
        """Give the mean loss above the minimum at which a run settles: Σ ½·λ·variance, with the batch's mean noise."""
        std = noise / math.sqrt(batch_size)
        return sum(value * self.variance(lr, value, std) / 2 for value in eigenvalues if value != 0)


@dataclass(frozen=True)
class BestSettings:
    """The constant settings with the fastest worst case between two curvatures, and the factor they reach."""

    lr: float
    momentum: float
    rate: float


def linear_method(kind: str, settings: Mapping[str, float]) -> LinearMethod | None:
    """Find the theory of an optimizer with these hyper-parameters; None where it is not linear."""
    beta = float(settings.get("momentum", 0.0))
    if kind in ("sgd", "momentum"):
        # torch has no velocity to dampen where there is no momentum.
        return LinearMethod(beta, 1 - float(settings.get("dampening", 0.0)) if beta else 1.0, 0.0)
    if kind == "nesterov":
        return LinearMethod(beta, 1 + beta, beta)
    if kind == "quasi_hyperbolic":
        nu = float(settings.get("nu", 0.7))
        return LinearMethod(beta, 1 - nu * beta, beta * (1 - nu))
    return None


def sharpness_ceiling(kind: str, settings: Mapping[str, float]) -> float | None:
    """Give the largest curvature at which full-batch training is stable at ``lr``; None where no theory says.

    Adam's is a ceiling of the curvature divided by its preconditioner: 38/lr at beta1 = 0.9.
    """
    lr = float(settings["lr"])
    if method := linear_method(kind, settings):
        return method.sharpness_ceiling(lr)
    if kind in PRECONDITIONED_KINDS:
        beta1 = float(settings.get("beta1", 0.9))
        return (2 + 2 * beta1) / ((1 - beta1) * lr)
    return None


def critical_momentum(kind: str, step: float) -> float | None:
    """Give the β at s = lr·λ below which a run does not swing: the fastest at this rate. None where there is none."""
    if kind == "momentum" and 0 < step < 4:
        return (1 - math.sqrt(step)) ** 2
    if kind == "nesterov" and 0 < step <= 1:
        return (1 - math.sqrt(step)) / (1 + math.sqrt(step))
    return None


def best_settings(kind: str, smallest: float, largest: float) -> BestSettings | None:
    """Give the best constant settings between curvatures μ and L; None where theory has none.

    The best heavy ball has a double root: its error goes like k·rate^k.

    Raises:
        ValueError: Unless 0 < μ ≤ L: without a minimum nothing converges to it.
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
    """Count the updates of gradient descent from ``offset`` beside the ridge of a saddle to a distance of ``radius``.

    ``curvature`` is the negative one: each update multiplies the offset by 1 + lr·|curvature|. Infinite from the ridge.
    """
    if offset == 0:
        return math.inf
    return max(0, math.ceil(math.log(radius / abs(offset)) / math.log1p(lr * abs(curvature))))

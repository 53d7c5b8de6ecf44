"""Schedules of a learning rate or a momentum, as pure functions of time.

A schedule maps steps, numbered from 0 in a column [T, 1] of float64, to factors [T, 1] of the value. What a step is,
and the warm-up before step 0, belong to `stack/schedule.py`. References: service/spec/schedules.py.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# Steps [T, 1] and the schedule's own parameters by name → factors [T, 1].
FactorFunction = Callable[..., Tensor]


def constant(steps_T1: Tensor) -> Tensor:
    """Factor 1 at every step."""
    return torch.ones_like(steps_T1)


def step(steps_T1: Tensor, *, decay_steps: float, factor: float) -> Tensor:
    """factor^⌊t / decay_steps⌋. As torch's StepLR with gamma = factor."""
    return factor ** torch.floor(steps_T1 / decay_steps)


def exponential(steps_T1: Tensor, *, decay_steps: float, factor: float) -> Tensor:
    """factor^(t / decay_steps). With decay_steps = 1 as torch's ExponentialLR."""
    return factor ** (steps_T1 / decay_steps)


def polynomial(steps_T1: Tensor, *, decay_steps: float, power: float, final_fraction: float) -> Tensor:
    """f + (1 − f) · (1 − t / decay_steps)^power, then f, the final fraction. As torch's PolynomialLR, where f = 0."""
    left_T1 = 1 - (steps_T1 / decay_steps).clamp(max=1)
    return final_fraction + (1 - final_fraction) * left_T1**power


def cosine(
    steps_T1: Tensor, *, decay_steps: float, final_fraction: float, restarts: bool = False, growth: float = 1
) -> Tensor:
    """f + (1 − f) · (1 + cos(π · t / decay_steps)) / 2, then f; with restarts, the next period.

    Each period is `growth` times as long as the one before. Without restarts this is torch's CosineAnnealingLR within
    its period; torch climbs the cosine again afterwards. With restarts it is torch's CosineAnnealingWarmRestarts.
    """
    if restarts:
        progress_T1 = _progress_in_period(steps_T1, decay_steps, growth)
    else:
        progress_T1 = (steps_T1 / decay_steps).clamp(max=1)
    return half_cosine(progress_T1, 1.0, final_fraction)


def half_cosine(progress: Tensor, start: float, end: float) -> Tensor:
    """From `start` to `end` along half a cosine, as progress goes from 0 to 1."""
    return end + (start - end) * (1 + torch.cos(math.pi * progress)) / 2


def _progress_in_period(steps_T1: Tensor, first: float, growth: float) -> Tensor:
    if growth == 1:
        return torch.remainder(steps_T1, first) / first

    def beginning(period_T1: Tensor) -> Tensor:
        return first * (growth**period_T1 - 1) / (growth - 1)

    period_T1 = torch.floor(torch.log(steps_T1 / first * (growth - 1) + 1) / math.log(growth))
    # Rounding of the logarithm may miss a restart by one; the comparison of whole steps corrects it.
    period_T1 = period_T1 + (beginning(period_T1 + 1) <= steps_T1).double() - (beginning(period_T1) > steps_T1).double()
    return (steps_T1 - beginning(period_T1)) / (first * growth**period_T1)


def one_cycle(steps_T1: Tensor, *, decay_steps: float, final_fraction: float, linear: bool) -> Tensor:
    """The fall from the top to the final fraction, along half a cosine or a straight line.

    The rise before it is the warm-up, of the same shape; factors are relative to the top. As torch's OneCycleLR, whose
    rise ends at pct_start · total_steps − 1 and whose fall ends at total_steps − 1.
    """
    if linear:
        return polynomial(steps_T1, decay_steps=decay_steps, power=1, final_fraction=final_fraction)
    return half_cosine((steps_T1 / decay_steps).clamp(max=1), 1.0, final_fraction)


def warmup_stable_decay(
    steps_T1: Tensor, *, stable_steps: float, decay_steps: float, power: float, final_fraction: float
) -> Tensor:
    """1 for `stable_steps`, then a polynomial decay.

    The length of the training need not be known at its start: the decay may begin at any step of the stable phase.
    """
    into_decay_T1 = (steps_T1 - stable_steps).clamp(min=0)
    return polynomial(into_decay_T1, decay_steps=decay_steps, power=power, final_fraction=final_fraction)


def piecewise(steps_T1: Tensor, *, boundaries: Sequence[float], factors: Sequence[float]) -> Tensor:
    """1 at first, factors[i] from boundaries[i] on. As torch's MultiStepLR, where factors are γ, γ², γ³, …"""
    values = steps_T1.new_tensor([1.0, *factors])
    return values[torch.bucketize(steps_T1, steps_T1.new_tensor(boundaries), right=True)]


SCHEDULES: dict[str, FactorFunction] = {
    "constant": constant,
    "step": step,
    "exponential": exponential,
    "polynomial": polynomial,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "warmup_stable_decay": warmup_stable_decay,
    "piecewise": piecewise,
}

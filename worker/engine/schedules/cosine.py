"""How does a rate follow half a cosine down, once or again and again?"""

import math

import torch
from torch import Tensor


def cosine(
    steps_T1: Tensor, *, decay_steps: float, final_fraction: float, restarts: bool = False, growth: float = 1
) -> Tensor:
    """f + (1 − f) · (1 + cos(π · t / decay_steps)) / 2, then f, or from the top again if it restarts.

    Each period is `growth` times as long as the one before. Within its period this is torch's CosineAnnealingLR, which
    would climb the cosine again afterwards; with restarts it is CosineAnnealingWarmRestarts.
    Reference: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017.
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
    # The logarithm may miss a restart by one rounding; whole numbers of steps tell exactly on which side they are.
    period_T1 = period_T1 + (beginning(period_T1 + 1) <= steps_T1).double() - (beginning(period_T1) > steps_T1).double()
    return (steps_T1 - beginning(period_T1)) / (first * growth**period_T1)

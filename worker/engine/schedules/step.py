"""How does a rate fall in stairs, or along the curve that joins them?"""

import torch
from torch import Tensor


def step(steps_T1: Tensor, *, decay_steps: float, factor: float) -> Tensor:
    """One stair after every `decay_steps`: factor^⌊t / decay_steps⌋. As torch's StepLR, where factor is gamma."""
    return factor ** torch.floor(steps_T1 / decay_steps)


def exponential(steps_T1: Tensor, *, decay_steps: float, factor: float) -> Tensor:
    """The smooth course: factor^(t / decay_steps). With decay_steps = 1 it is torch's ExponentialLR."""
    return factor ** (steps_T1 / decay_steps)

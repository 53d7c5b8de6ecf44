"""How does a rate jump between values that someone wrote down?"""

from collections.abc import Sequence

import torch
from torch import Tensor


def piecewise(steps_T1: Tensor, *, boundaries: Sequence[float], factors: Sequence[float]) -> Tensor:
    """Factor 1 at first, and factors[i] from boundaries[i] on. torch's MultiStepLR has the factors γ, γ², γ³, …"""
    values = steps_T1.new_tensor([1.0, *factors])
    return values[torch.bucketize(steps_T1, steps_T1.new_tensor(boundaries), right=True)]

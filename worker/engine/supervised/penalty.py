"""The penalty ½ · l2 · ‖weights‖² on all parameters but biases, and offsets and scales of norms."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.networks.network import Shape


class Penalty:
    """Its value and gradient for all runs; tensors of one axis are not penalized."""

    def __init__(self, l2: float, shapes: Sequence[Shape], dtype: torch.dtype, device: torch.device) -> None:
        parts = [torch.full((math.prod(shape),), l2 if len(shape) > 1 else 0.0, dtype=dtype) for shape in shapes]
        self._l2_D1 = torch.cat(parts).unsqueeze(1).to(device)

    def loss(self, weights_DR: Tensor) -> Tensor:
        """The penalty [R]; can be differentiated."""
        return (weights_DR * weights_DR * self._l2_D1).sum(0) / 2

    def gradient(self, weights_DR: Tensor) -> Tensor:
        """Its gradient [D, R], in the memory order of the weights."""
        return weights_DR * self._l2_D1

"""The penalty ½ · l2 · ‖weights‖² + l1 · Σ|weights| on all parameters but biases, and offsets and scales of norms."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.networks.network import Shape


class Penalty:
    """Its value and gradient for all runs; tensors of one axis are not penalized."""

    def __init__(
        self, l2: float, shapes: Sequence[Shape], dtype: torch.dtype, device: torch.device, l1: float = 0.0
    ) -> None:
        def spread(coefficient: float) -> Tensor:
            sizes = [(math.prod(shape), coefficient if len(shape) > 1 else 0.0) for shape in shapes]
            return torch.cat([torch.full((size,), one, dtype=dtype) for size, one in sizes]).unsqueeze(1).to(device)

        self._l2_D1 = spread(l2)
        self._l1_D1 = spread(l1) if l1 else None

    def loss(self, weights_DR: Tensor) -> Tensor:
        """The penalty [R]; can be differentiated."""
        loss_R = (weights_DR * weights_DR * self._l2_D1).sum(0) / 2
        return loss_R if self._l1_D1 is None else loss_R + (weights_DR.abs() * self._l1_D1).sum(0)

    def gradient(self, weights_DR: Tensor) -> Tensor:
        """Its gradient [D, R], in the memory order of the weights; the slope of |w| is 0 at 0."""
        slopes_DR = weights_DR * self._l2_D1
        return slopes_DR if self._l1_D1 is None else slopes_DR + weights_DR.sign() * self._l1_D1

"""Products of Hessians and directions, by differentiating the loss twice.

This is exact. Differences of the gradient cost the same and lose half of the digits: in float32 three are left, and
across a kink of ReLU none.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor


def hessian_product(losses: Iterable[Callable[[Tensor], Tensor]], weights_DR: Tensor, direction_DR: Tensor) -> Tensor:
    """The product [D, R] of each run's Hessian and direction. The objective is the sum of the losses, each [R].

    Pearlmutter, Fast Exact Multiplication by the Hessian, 1994.
    """
    total_DR = torch.zeros_like(weights_DR)
    for loss in losses:
        # Tensors of inference mode, in which the trainer works, have no derivatives; their copies have.
        with torch.inference_mode(False), torch.enable_grad():
            weights = weights_DR.clone().requires_grad_()
            direction = direction_DR.clone()
            (gradient,) = torch.autograd.grad(loss(weights).sum(), weights, create_graph=True)
            (product,) = torch.autograd.grad((gradient * direction).sum(), weights)
        total_DR = total_DR + product
    return total_DR

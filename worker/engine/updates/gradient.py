"""What happens to a gradient, and to the weights, before an optimizer's own formula sees them?"""

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm
from worker.engine.protocols import Rows

# Settings that every optimizer may have, off unless they are given.
CLIPPING = ("clip_value", "clip_norm")
# torch.nn.utils.clip_grad_norm_ adds this to the norm that it divides by.
_CLIP_EPS = 1e-6


def clipped(gradient_DR: Tensor, rows: Rows, terms: frozenset[str]) -> Tensor:
    """The gradient with no component beyond ±clip_value, then no longer than clip_norm, each run by its own length.

    As clip_grad_value_ and clip_grad_norm_ of torch.nn.utils. By value first: in this order both bounds hold.
    """
    if "clip_value" in terms:
        gradient_DR = torch.minimum(torch.maximum(gradient_DR, -rows["clip_value"]), rows["clip_value"])
    if "clip_norm" in terms:
        gradient_DR = gradient_DR * (rows["clip_norm"] / (norm(gradient_DR) + _CLIP_EPS)).clamp(max=1)
    return gradient_DR


def loss_gradient(weights_DR: Tensor, gradient_DR: Tensor, rows: Rows, terms: frozenset[str]) -> Tensor:
    """The gradient of what is minimised: −g to climb instead (`maximize`), g + weight_decay · w for a penalty on w².

    This is the coupled weight decay of torch.optim, unless the term `decoupled_weight_decay` leaves it to `decayed`.
    """
    if "maximize" in terms:
        gradient_DR = -gradient_DR
    if "weight_decay" in terms and "decoupled_weight_decay" not in terms:
        gradient_DR = torch.addcmul(gradient_DR, weights_DR, rows["weight_decay"])
    return gradient_DR


def decayed(weights_DR: Tensor, rows: Rows, terms: frozenset[str]) -> Tensor:
    """Decoupled weight decay: (1 − lr · weight_decay) · w, which `rows` has as `shrink`."""
    if "weight_decay" in terms and "decoupled_weight_decay" in terms:
        weights_DR = weights_DR * rows["shrink"]
    return weights_DR

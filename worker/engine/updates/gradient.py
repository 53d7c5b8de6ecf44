"""Clipping, maximisation and weight decay, applied before the formula of an optimizer."""

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm
from worker.engine.protocols import Coefficients

# Hyper-parameters of every optimizer, off unless they are given.
CLIPPING = ("clip_value", "clip_norm")
# torch.nn.utils.clip_grad_norm_ adds this to the norm that it divides by.
_CLIP_EPS = 1e-6


def clipped(gradient_DR: Tensor, coefficients: Coefficients, terms: frozenset[str]) -> Tensor:
    """The gradient with components within ±clip_value, then with a norm of at most clip_norm, run by run.

    As clip_grad_value_ and clip_grad_norm_ of torch.nn.utils. By value first: in this order both bounds hold.
    """
    if "clip_value" in terms:
        gradient_DR = torch.minimum(torch.maximum(gradient_DR, -coefficients["clip_value"]), coefficients["clip_value"])
    if "clip_norm" in terms:
        gradient_DR = gradient_DR * (coefficients["clip_norm"] / (norm(gradient_DR) + _CLIP_EPS)).clamp(max=1)
    return gradient_DR


def loss_gradient(weights_DR: Tensor, gradient_DR: Tensor, coefficients: Coefficients, terms: frozenset[str]) -> Tensor:
    """The gradient of what is minimised: −g with `maximize`, g + weight_decay · w with a penalty on w².

    This is the coupled weight decay of torch.optim, unless the term `decoupled_weight_decay` is on (see `decayed`).
    """
    if "maximize" in terms:
        gradient_DR = -gradient_DR
    if "weight_decay" in terms and "decoupled_weight_decay" not in terms:
        gradient_DR = torch.addcmul(gradient_DR, weights_DR, coefficients["weight_decay"])
    return gradient_DR


def decayed(weights_DR: Tensor, coefficients: Coefficients, terms: frozenset[str]) -> Tensor:
    """Decoupled weight decay: (1 − lr · weight_decay) · w, whose factor is the coefficient `shrink`."""
    if "weight_decay" in terms and "decoupled_weight_decay" in terms:
        weights_DR = weights_DR * coefficients["shrink"]
    return weights_DR

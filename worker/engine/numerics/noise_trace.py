"""Variance of the gradients of single examples, and of batches, around the full gradient."""

import torch
from torch import Tensor

from worker.engine.numerics.columns import squared_norm


def noise_trace(squared_norms_BR: Tensor, gradient_DR: Tensor) -> Tensor:
    """tr Σ [R] from the squared norms of all examples' gradients and the mean gradient."""
    mean_R = (squared_norms_BR).sum(0) / len(squared_norms_BR)
    return torch.clamp_min(mean_R - squared_norm(gradient_DR), 0)


def share_without_replacement(num: int, of: int) -> float:
    """The variance of a mean of `num` out of `of` examples, as a share of the variance of one."""
    return (of - num) / (num * (of - 1)) if num < of else 0.0

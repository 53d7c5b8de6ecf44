"""Gradients of networks whose backward pass is not written out."""

from typing import Protocol

import torch
from torch import Tensor

from worker.engine.networks.network import Slopes

# Gradients of single examples are computed as those of separate runs, about this many at once.
RUNS_AT_ONCE = 256


class Differentiable(Protocol):
    """A network that computes its outputs."""

    def outputs(self, weights_RD: Tensor, examples: Tensor) -> Tensor: ...


def gradient(network: Differentiable, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
    """The gradient [R, D] from the slopes at the outputs, summed over examples."""
    # Tensors of inference mode, in which the trainer works, have no derivatives; their copies have.
    with torch.inference_mode(False), torch.enable_grad():
        weights = weights_RD.clone().requires_grad_()
        outputs_RON = network.outputs(weights, examples.clone())
        slopes_RON = slopes(outputs_RON.detach()).clone()
        (gradient_RD,) = torch.autograd.grad(outputs_RON, weights, slopes_RON)
    return gradient_RD


def squared_norms(network: Differentiable, weights_RD: Tensor, examples: Tensor, slopes: Slopes) -> Tensor:
    """The squared norm [R, N] of the gradient of each example alone."""
    num_runs = len(weights_RD)
    slopes_RON = slopes(network.outputs(weights_RD, examples))
    num = max(1, RUNS_AT_ONCE // num_runs)
    parts = []
    for chosen_RON, chosen in zip(torch.split(slopes_RON, num, 2), torch.split(examples, num, -2), strict=True):
        count = chosen_RON.shape[2]
        many_RD = weights_RD.repeat_interleave(count, 0)
        each = chosen.expand(num_runs, count, -1).reshape(num_runs * count, 1, -1)
        alone = chosen_RON.transpose(1, 2).flatten(0, 1).unsqueeze(2)
        gradients = gradient(network, many_RD, each, lambda _, alone=alone: alone)  # type: ignore[misc]
        parts.append(gradients.square().sum(1).view(num_runs, count))
    return torch.cat(parts, 1)

"""Forward and backward pass of FlipNet: 4 → 3 → 4 units, ReLU after the first layer, mean squared error.

31 parameters in the order of torch's state_dict: W1 [3, 4], b1, W2 [4, 3], b2. Unlike the networks of `network.py`,
all runs are the last axis, [D, R]. Gradients are written out: no graph is built, and each operation covers all runs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from worker.engine.networks.initial import default_weights

# Image i is the four bits of i, the most significant first; transposing a 2×2 image swaps its middle two pixels.
IMAGES = np.array([[image >> bit & 1 for bit in (3, 2, 1, 0)] for image in range(16)], dtype=np.float64)
TARGETS = IMAGES[:, [0, 2, 1, 3]]
SHAPES = ((3, 4), (3,), (4, 3), (4,))
SIZES = tuple(map(math.prod, SHAPES))

_relu_backward: Callable[..., Tensor] = torch.ops.aten.threshold_backward.default
_relu_backward_into: Callable[..., Tensor] = torch.ops.aten.threshold_backward.grad_input


@dataclass(frozen=True, slots=True)
class Batch:
    """B images, the same for all runs [B, 4, 1] or each run's own [B, 4, R], and their targets."""

    images: Tensor
    targets: Tensor
    # Derivative of the mean square by an error, per unit of error: 2 / (4 · B). A tensor is faster than a number.
    scale: Tensor

    @classmethod
    def of(cls, images: Tensor) -> "Batch":
        return cls(images, images[:, [0, 2, 1, 3]], images.new_tensor(2 / (4 * len(images))))


def forward(weights_DR: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Hidden units [B, 3, R] and errors [B, 4, R] of the outputs."""
    w1, b1, w2, b2 = weights_DR.split_with_sizes(SIZES)
    hidden = torch.relu(_contract(w1.view(1, 3, 4, -1), batch.images.unsqueeze(1), 2, b1))
    return hidden, _contract(w2.view(1, 4, 3, -1), hidden.unsqueeze(1), 2, b2) - batch.targets


def gradient(weights_DR: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """The gradient [D, R] of the mean square error, and the errors [B, 4, R] of the outputs."""
    hidden, errors = forward(weights_DR, batch)
    # Each part of the gradient is computed in place: joining parts would copy them once more.
    gradient_DR = torch.empty_like(weights_DR)
    to_w1, to_b1, to_w2, to_b2 = gradient_DR.split_with_sizes(SIZES)
    to_w1, to_w2 = to_w1.view(3, 4, -1), to_w2.view(4, 3, -1)
    if len(hidden) == 1:
        slopes = torch.mul(errors, batch.scale, out=to_b2[None])
        back = backward(weights_DR, hidden, slopes, out=to_b1[None])
        torch.mul(back[0].unsqueeze(1), batch.images, out=to_w1)
        torch.mul(slopes[0].unsqueeze(1), hidden, out=to_w2)
        return gradient_DR, errors
    slopes = errors * batch.scale
    back = backward(weights_DR, hidden, slopes)
    torch.sum(back.unsqueeze(2) * batch.images.unsqueeze(1), 0, out=to_w1)
    torch.sum(slopes.unsqueeze(2) * hidden.unsqueeze(1), 0, out=to_w2)
    torch.sum(back, 0, out=to_b1)
    torch.sum(slopes, 0, out=to_b2)
    return gradient_DR, errors


def forward_of_all(weights_DR: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """As `forward`, for all 16 images in counting order, with a third of the additions in the first layer.

    An image with one more pixel adds the weight of that pixel. For finite weights this gives the bits of adding w · 1
    or w · 0 in the same order; an infinite weight makes all images and the loss NaN, as w · 0 does in `forward`.
    """
    w1, b1, w2, b2 = weights_DR.split_with_sizes(SIZES)
    w1 = w1.view(3, 4, -1)
    hidden = weights_DR.new_empty(len(IMAGES), 3, weights_DR.shape[1])
    hidden[0] = _contract(w1[None], batch.images[:1].unsqueeze(1), 2, b1)[0]
    for pixel, num in enumerate((8, 4, 2, 1)):
        torch.add(hidden[:: 2 * num], w1[:, pixel], out=hidden[num :: 2 * num])
    hidden.relu_()
    return hidden, _contract(w2.view(1, 4, 3, -1), hidden.unsqueeze(1), 2, b2) - batch.targets


def gradient_of_all(weights_DR: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """As `gradient`, for all 16 images in counting order."""
    hidden, errors = forward_of_all(weights_DR, batch)
    slopes = errors * batch.scale
    back = backward(weights_DR, hidden, slopes)
    gradient_DR = torch.empty_like(weights_DR)
    to_w1, to_b1, to_w2, to_b2 = gradient_DR.split_with_sizes(SIZES)
    to_w1, to_w2 = to_w1.view(3, 4, -1), to_w2.view(4, 3, -1)
    torch.sum(slopes.unsqueeze(2) * hidden.unsqueeze(1), 0, out=to_w2)
    torch.sum(slopes, 0, out=to_b2)
    # The weights of a pixel sum the slopes of the images that have it; images that differ in it alone are then merged.
    for pixel in range(4):
        without, having = back.chunk(2)
        torch.sum(having, 0, out=to_w1[:, pixel])
        back = without + having
    to_b1.copy_(back[0])
    # An infinite slope times a pixel that is off is NaN.
    to_w1.addcmul_(to_b1.unsqueeze(1), batch.images[0, 0])
    return gradient_DR, errors


def backward(weights_DR: Tensor, hidden: Tensor, slopes: Tensor, out: Tensor | None = None) -> Tensor:
    """Slopes at the hidden units: back through the second layer, then through ReLU."""
    slopes = _contract(weights_DR[15:27].view(1, 4, 3, -1), slopes.unsqueeze(2), 1)
    back: Tensor = (
        _relu_backward(slopes, hidden, 0) if out is None else _relu_backward_into(slopes, hidden, 0, grad_input=out)
    )
    return back


def squares(values: Tensor) -> Tensor:
    """Σ v² over the units of a layer; up to four units are always added in the same order."""
    return (values * values).sum(1)


def _contract(left: Tensor, right: Tensor, axis: int, start: Tensor | None = None) -> Tensor:
    """start + Σ left · right over an axis of three or four units, in a fixed order.

    For one image, summing the products afterwards takes the fewest calls. For many images the products would leave the
    cache, so each is added at once.
    """
    if max(len(left), len(right)) == 1:
        total = (left * right).sum(axis)
        return total if start is None else total + start
    for left_unit, right_unit in zip(left.unbind(axis), right.unbind(axis), strict=True):
        start = left_unit * right_unit if start is None else torch.addcmul(start, left_unit, right_unit)
    assert start is not None
    return start


def mean_square(errors_B4R: Tensor) -> Tensor:
    return (errors_B4R * errors_B4R).sum((0, 1)) / (4 * len(errors_B4R))


def initial_weights(seed: int) -> Tensor:
    """The 31 weights in float32 of nn.Linear(4, 3) and nn.Linear(3, 4) after torch.manual_seed(seed)."""
    return default_weights(seed, ((SHAPES[0], SHAPES[1]), (SHAPES[2], SHAPES[3])))

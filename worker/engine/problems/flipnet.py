"""How does FlipNet, the smallest network with a real data set, learn to transpose a 2×2 image?

4 → 3 → 4 with ReLU after the first layer, 31 parameters in the order of torch's state_dict (W1 [3, 4], b1, W2 [4, 3],
b2), mean squared error over the four outputs. Three hidden units cannot carry four pixels, so the loss never reaches
0. Gradients are written out by hand: no graph to build, and every run of the stack in each operation.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.curvature import hessian_product
from worker.engine.lanczos import largest_eigenvalue
from worker.engine.layout import COLUMNS_MULTIPLE
from worker.engine.noise import noise_trace, share_without_replacement
from worker.engine.protocols import BatchSize, Evaluation
from worker.engine.random import permutations

# Image i is the four bits of i, the most significant first; transposing a 2×2 image swaps its middle two pixels.
IMAGES = np.array([[image >> bit & 1 for bit in (3, 2, 1, 0)] for image in range(16)], dtype=np.float64)
TARGETS = IMAGES[:, [0, 2, 1, 3]]
SHAPES = ((3, 4), (3,), (4, 3), (4,))
SIZES = tuple(map(math.prod, SHAPES))
EPOCHS_PER_DRAW = 16

_relu_back = torch.ops.aten.threshold_backward.default
_relu_back_into = torch.ops.aten.threshold_backward.grad_input


@dataclass(frozen=True, eq=False)
class FlipNet:
    """FlipNet for one seed per run. A batch of 16 or more is all of the data, whose order then does not matter."""

    seeds: NDArray[np.int64]
    batch_size: BatchSize = 1
    shuffle: bool = False

    num_parameters = sum(SIZES)
    shapes = SHAPES
    has_accuracy = True
    shift = None
    has_test = False
    columns_multiple = COLUMNS_MULTIPLE
    has_position = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", np.asarray(self.seeds, dtype=np.int64))

    @property
    def num_runs(self) -> int:
        return len(self.seeds)

    @property
    def images_per_batch(self) -> int:
        return len(IMAGES) if self.batch_size == "full" else min(self.batch_size, len(IMAGES))

    @property
    def whole(self) -> bool:
        return self.images_per_batch == len(IMAGES)

    @property
    def minima_MD(self) -> NDArray[np.float64]:
        return np.empty((0, self.num_parameters))

    def num_batches(self, accumulate: int) -> int:
        return math.ceil(len(IMAGES) / self.images_per_batch)

    def variance_share(self, accumulate: int) -> float:
        return share_without_replacement(min(self.images_per_batch * accumulate, len(IMAGES)), len(IMAGES))

    def objective(self, source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> "FlipNetObjective":
        return FlipNetObjective(self, self.seeds[source_R], dtype, device)


@dataclass(frozen=True, slots=True)
class Examples:
    """B images that all runs see [B, 4, 1], or of which each run has its own [B, 4, R], and what they should become."""

    images: Tensor
    targets: Tensor
    # Turns an error into the slope of the mean square: 2 / (4 · B). A tensor, as it meets others faster than a number.
    scale: Tensor

    @classmethod
    def of(cls, images: Tensor) -> "Examples":
        return cls(images, images[:, [0, 2, 1, 3]], images.new_tensor(2 / (4 * len(images))))


class FlipNetObjective:
    """FlipNet for the columns of one stack."""

    def __init__(self, problem: FlipNet, seeds_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> None:
        self._problem = problem
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        weights_SD = torch.stack([initial_weights(int(seed)) for seed in self._seeds_S])
        start_RD = weights_SD[torch.from_numpy(self._seed_of_column)]
        self.start_DR = start_RD.T.to(device=device, dtype=dtype).contiguous()
        self._images = torch.from_numpy(IMAGES).to(device=device, dtype=dtype)
        self._all = Examples.of(self._images[:, :, None])
        self._batches = self._in_batches(self._images[:, :, None])
        # An output of exactly 0.5 rounds to 0, so a target of 0 allows an error of 0.5 and a target of 1 does not:
        # there the error is stretched by one bit, after which 0.5 is beyond 0.5 and the number before it is not.
        targets = self._all.targets
        self._wrong_direction = 1 - 2 * targets - torch.finfo(dtype).eps * targets
        self._drawn: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))
        self._shuffled: tuple[int, list[Examples]] = (-1, [])

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        gradient_DR, errors_B4R = _gradient_of_all(weights_DR, self._all)
        # How far the worst of an image's four outputs is off on the wrong side; a NaN is not right either.
        worst_BR = (errors_B4R * self._wrong_direction).amax(1)
        accuracy_R = (worst_BR <= 0.5).to(errors_B4R.dtype).sum(0) / len(IMAGES)
        return Evaluation(_mean_square(errors_B4R), gradient_DR, accuracy_R)

    def loss(self, weights_DR: Tensor) -> Tensor:
        return _mean_square(_forward_of_all(weights_DR, self._all)[1])

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        if self._problem.whole:
            known = known or self.evaluate(weights_DR)
            return known.loss_R[None], known.gradient_DR
        epoch, index = divmod(step, len(self._batches))
        batches = self._shuffled_batches(epoch) if self._problem.shuffle else self._batches
        gradient_DR, errors_B4R = _gradient(weights_DR, batches[index])
        squares_B4R = errors_B4R * errors_B4R
        return squares_B4R[0] if len(squares_B4R) == 1 else squares_B4R.mean(0), gradient_DR

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        def loss(weights_DR: Tensor) -> Tensor:
            # A second derivative cannot pass through `_forward_of_all`, whose results are written in place.
            return _mean_square(_forward(weights_DR, self._all)[1])

        return largest_eigenvalue(lambda direction: hessian_product([loss], weights_DR, direction), weights_DR)

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        hidden_B3R, errors_B4R = _forward_of_all(weights_DR, self._all)
        slopes_B4R = errors_B4R / 2
        back_B3R = _back(weights_DR, hidden_B3R, slopes_B4R)
        # An image's gradient of a layer is the product of two vectors, slopes and (inputs, 1), and so is its norm.
        second_BR = _squares(slopes_B4R) * (_squares(hidden_B3R) + 1)
        squares_BR = torch.addcmul(second_BR, _squares(back_B3R), _squares(self._all.images) + 1)
        return noise_trace(squares_BR, gradient_DR)

    def _shuffled_batches(self, epoch: int) -> list[Examples]:
        """The micro-batches of one epoch, where each run sees the images in the order that its own seed draws."""
        if self._shuffled[0] != epoch:
            draw, offset = divmod(epoch, EPOCHS_PER_DRAW)
            if self._drawn[0] != draw:
                epochs = np.arange(draw * EPOCHS_PER_DRAW, (draw + 1) * EPOCHS_PER_DRAW, dtype=np.int64)
                self._drawn = draw, permutations(self._seeds_S, epochs, len(IMAGES))
            order_BR = torch.from_numpy(self._drawn[1][offset][:, self._seed_of_column])
            images_BR4 = self._images[order_BR.to(self._images.device)]
            self._shuffled = epoch, self._in_batches(images_BR4.movedim(2, 1).contiguous())
        return self._shuffled[1]

    def _in_batches(self, images: Tensor) -> list[Examples]:
        size = self._problem.images_per_batch
        return [Examples.of(images[start : start + size]) for start in range(0, len(IMAGES), size)]


def _forward(weights_DR: Tensor, examples: Examples) -> tuple[Tensor, Tensor]:
    """Hidden units [B, 3, R] and errors [B, 4, R] of the outputs."""
    w1, b1, w2, b2 = weights_DR.split_with_sizes(SIZES)
    hidden = torch.relu(_contract(w1.view(1, 3, 4, -1), examples.images.unsqueeze(1), 2, b1))
    return hidden, _contract(w2.view(1, 4, 3, -1), hidden.unsqueeze(1), 2, b2) - examples.targets


def _gradient(weights_DR: Tensor, examples: Examples) -> tuple[Tensor, Tensor]:
    """The gradient [D, R] of the mean square error, and the errors [B, 4, R] of the outputs."""
    hidden, errors = _forward(weights_DR, examples)
    # Each part of the gradient is computed in its place: joining them afterwards would copy all of it once more.
    gradient_DR = torch.empty_like(weights_DR)
    to_w1, to_b1, to_w2, to_b2 = gradient_DR.split_with_sizes(SIZES)
    to_w1, to_w2 = to_w1.view(3, 4, -1), to_w2.view(4, 3, -1)
    if len(hidden) == 1:
        slopes = torch.mul(errors, examples.scale, out=to_b2[None])
        back = _back(weights_DR, hidden, slopes, out=to_b1[None])
        torch.mul(back[0].unsqueeze(1), examples.images, out=to_w1)
        torch.mul(slopes[0].unsqueeze(1), hidden, out=to_w2)
        return gradient_DR, errors
    slopes = errors * examples.scale
    back = _back(weights_DR, hidden, slopes)
    torch.sum(back.unsqueeze(2) * examples.images.unsqueeze(1), 0, out=to_w1)
    torch.sum(slopes.unsqueeze(2) * hidden.unsqueeze(1), 0, out=to_w2)
    torch.sum(back, 0, out=to_b1)
    torch.sum(slopes, 0, out=to_b2)
    return gradient_DR, errors


def _forward_of_all(weights_DR: Tensor, examples: Examples) -> tuple[Tensor, Tensor]:
    """As `_forward`, for all 16 images in counting order, with a third of the additions in the first layer.

    The image with one pixel more adds that pixel's weight. Adding w · 1 or w · 0 in the same order gives the same bits
    for finite weights; an infinite one makes all images NaN, and so the loss, as w · 0 does in `_forward`.
    """
    w1, b1, w2, b2 = weights_DR.split_with_sizes(SIZES)
    w1 = w1.view(3, 4, -1)
    hidden = weights_DR.new_empty(len(IMAGES), 3, weights_DR.shape[1])
    hidden[0] = _contract(w1[None], examples.images[:1].unsqueeze(1), 2, b1)[0]
    for pixel, num in enumerate((8, 4, 2, 1)):
        torch.add(hidden[:: 2 * num], w1[:, pixel], out=hidden[num :: 2 * num])
    hidden.relu_()
    return hidden, _contract(w2.view(1, 4, 3, -1), hidden.unsqueeze(1), 2, b2) - examples.targets


def _gradient_of_all(weights_DR: Tensor, examples: Examples) -> tuple[Tensor, Tensor]:
    """As `_gradient`, for all 16 images in counting order."""
    hidden, errors = _forward_of_all(weights_DR, examples)
    slopes = errors * examples.scale
    back = _back(weights_DR, hidden, slopes)
    gradient_DR = torch.empty_like(weights_DR)
    to_w1, to_b1, to_w2, to_b2 = gradient_DR.split_with_sizes(SIZES)
    to_w1, to_w2 = to_w1.view(3, 4, -1), to_w2.view(4, 3, -1)
    torch.sum(slopes.unsqueeze(2) * hidden.unsqueeze(1), 0, out=to_w2)
    torch.sum(slopes, 0, out=to_b2)
    # A pixel's weights get the slopes of the images that have it; then images that differ by it only count as one.
    for pixel in range(4):
        without, having = back.chunk(2)
        torch.sum(having, 0, out=to_w1[:, pixel])
        back = without + having
    to_b1.copy_(back[0])
    # An infinite slope times a pixel that is off is NaN.
    to_w1.addcmul_(to_b1.unsqueeze(1), examples.images[0, 0])
    return gradient_DR, errors


def _back(weights_DR: Tensor, hidden: Tensor, slopes: Tensor, out: Tensor | None = None) -> Tensor:
    """Back through the second layer, then through ReLU: its derivative is 1 where the unit is on, 0 where it is off."""
    slopes = _contract(weights_DR[15:27].view(1, 4, 3, -1), slopes.unsqueeze(2), 1)
    back: Tensor = _relu_back(slopes, hidden, 0) if out is None else _relu_back_into(slopes, hidden, 0, grad_input=out)
    return back


def _squares(values: Tensor) -> Tensor:
    """Σ v² over the units of a layer, at most four: few enough to be added in the same order always."""
    return (values * values).sum(1)


def _contract(left: Tensor, right: Tensor, axis: int, start: Tensor | None = None) -> Tensor:
    """start + Σ left · right over an axis of three or four units, in a fixed order.

    For one image the products are few, and summing them afterwards takes the fewest calls. For many images they would
    not stay in cache, so they are added as they are made.
    """
    if max(len(left), len(right)) == 1:
        total = (left * right).sum(axis)
        return total if start is None else total + start
    for left_unit, right_unit in zip(left.unbind(axis), right.unbind(axis), strict=True):
        start = left_unit * right_unit if start is None else torch.addcmul(start, left_unit, right_unit)
    assert start is not None
    return start


def _mean_square(errors_B4R: Tensor) -> Tensor:
    return (errors_B4R * errors_B4R).sum((0, 1)) / (4 * len(errors_B4R))


@lru_cache(maxsize=10_000)
def initial_weights(seed: int) -> Tensor:
    """The 31 weights in float32 that nn.Linear(4, 3), then nn.Linear(3, 4) get after torch.manual_seed(seed).

    torch draws weights by Kaiming's uniform rule with a = √5 and biases within ±1/√fan_in. A generator of our own
    gives the same numbers and leaves the global one alone.
    """
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for size, fan_in in zip(SIZES, (4, 4, 3, 3), strict=True):
        is_weight = size == 12
        # In this order of rounding, as torch.nn.init computes it: for fan_in 4 it is one bit below 1/2.
        bound = math.sqrt(3) * (math.sqrt(2 / (1 + 5)) / math.sqrt(fan_in)) if is_weight else 1 / math.sqrt(fan_in)
        parts.append(torch.empty(size).uniform_(-bound, bound, generator=generator))
    return torch.cat(parts)

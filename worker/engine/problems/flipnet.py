"""FlipNet: a network of 31 parameters that learns to transpose the 16 binary 2×2 images.

Three hidden units cannot carry four pixels, so the loss never reaches 0.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.networks import flipnet
from worker.engine.networks.flipnet import IMAGES, SHAPES, Batch
from worker.engine.numerics.columns import COLUMNS_MULTIPLE
from worker.engine.numerics.hessian import hessian_product
from worker.engine.numerics.lanczos import largest_eigenvalue
from worker.engine.numerics.noise_trace import noise_trace, share_without_replacement
from worker.engine.numerics.random import permutations
from worker.engine.protocols import BatchSize, Evaluation

EPOCHS_PER_DRAW = 16
_initial_weights = lru_cache(maxsize=10_000)(flipnet.initial_weights)


@dataclass(frozen=True, eq=False)
class FlipNet:
    """FlipNet for one seed per run. A batch of 16 or more is the full batch, whose order does not matter."""

    seeds: NDArray[np.int64]
    batch_size: BatchSize = 1
    shuffle: bool = False

    num_parameters = sum(map(math.prod, SHAPES))
    shapes = SHAPES
    score = "accuracy"
    shift = None
    has_test = has_validation = False
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


class FlipNetObjective:
    """FlipNet for the columns of one stack."""

    def __init__(self, problem: FlipNet, seeds_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> None:
        self._problem = problem
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        weights_SD = torch.stack([_initial_weights(int(seed)) for seed in self._seeds_S])
        start_RD = weights_SD[torch.from_numpy(self._seed_of_column)]
        self.start_DR = start_RD.T.to(device=device, dtype=dtype).contiguous()
        self._images = torch.from_numpy(IMAGES).to(device=device, dtype=dtype)
        self._all = Batch.of(self._images[:, :, None])
        self._batches = self._in_batches(self._images[:, :, None])
        # An output of exactly 0.5 rounds to 0, so a target of 0 allows an error of 0.5 and a target of 1 does not. For
        # a target of 1 the error is stretched by one bit: 0.5 then exceeds 0.5, and the number before it does not.
        targets = self._all.targets
        self._wrong_direction = 1 - 2 * targets - torch.finfo(dtype).eps * targets
        self._drawn: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, dtype=np.int64))
        self._shuffled: tuple[int, list[Batch]] = (-1, [])

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        gradient_DR, errors_B4R = flipnet.gradient_of_all(weights_DR, self._all)
        # The largest error of an image's four outputs towards the wrong side; NaN counts as wrong.
        worst_BR = (errors_B4R * self._wrong_direction).amax(1)
        accuracy_R = (worst_BR <= 0.5).to(errors_B4R.dtype).sum(0) / len(IMAGES)
        return Evaluation(flipnet.mean_square(errors_B4R), gradient_DR, accuracy_R)

    def loss(self, weights_DR: Tensor) -> Tensor:
        return flipnet.mean_square(flipnet.forward_of_all(weights_DR, self._all)[1])

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        if self._problem.whole:
            known = known or self.evaluate(weights_DR)
            return known.loss_R[None], known.gradient_DR
        epoch, index = divmod(step, len(self._batches))
        batches = self._shuffled_batches(epoch) if self._problem.shuffle else self._batches
        gradient_DR, errors_B4R = flipnet.gradient(weights_DR, batches[index])
        squares_B4R = errors_B4R * errors_B4R
        return squares_B4R[0] if len(squares_B4R) == 1 else squares_B4R.mean(0), gradient_DR

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        def loss(weights_DR: Tensor) -> Tensor:
            # `forward_of_all` writes in place, which second derivatives do not allow.
            return flipnet.mean_square(flipnet.forward(weights_DR, self._all)[1])

        return largest_eigenvalue(lambda direction: hessian_product([loss], weights_DR, direction), weights_DR)

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        hidden_B3R, errors_B4R = flipnet.forward_of_all(weights_DR, self._all)
        slopes_B4R = errors_B4R / 2
        back_B3R = flipnet.backward(weights_DR, hidden_B3R, slopes_B4R)
        # The gradient of a layer for one image is the outer product of slopes and (inputs, 1); its norm is the product
        # of their norms.
        second_BR = flipnet.squares(slopes_B4R) * (flipnet.squares(hidden_B3R) + 1)
        squares_BR = torch.addcmul(second_BR, flipnet.squares(back_B3R), flipnet.squares(self._all.images) + 1)
        return noise_trace(squares_BR, gradient_DR)

    def _shuffled_batches(self, epoch: int) -> list[Batch]:
        """The micro-batches of one epoch, with the images of each run in the order drawn by its seed."""
        if self._shuffled[0] != epoch:
            draw, offset = divmod(epoch, EPOCHS_PER_DRAW)
            if self._drawn[0] != draw:
                epochs = np.arange(draw * EPOCHS_PER_DRAW, (draw + 1) * EPOCHS_PER_DRAW, dtype=np.int64)
                self._drawn = draw, permutations(self._seeds_S, epochs, len(IMAGES))
            order_BR = torch.from_numpy(self._drawn[1][offset][:, self._seed_of_column])
            images_BR4 = self._images[order_BR.to(self._images.device)]
            self._shuffled = epoch, self._in_batches(images_BR4.movedim(2, 1).contiguous())
        return self._shuffled[1]

    def _in_batches(self, images: Tensor) -> list[Batch]:
        size = self._problem.images_per_batch
        return [Batch.of(images[start : start + size]) for start in range(0, len(IMAGES), size)]

"""The setup of a supervised problem: network, loss, examples and batches."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.networks.network import Network
from worker.engine.numerics.noise_trace import share_without_replacement
from worker.engine.protocols import BatchSize
from worker.engine.supervised.minimum import Minimum

# Changes the examples [R, B, I] of the batch at a step: (examples, seeds [S], seed of each column, step) → examples.
Augment = Callable[[Tensor, NDArray[np.int64], NDArray[np.int64], int], Tensor]


class Head(Protocol):
    """The loss of outputs [R, O, N], its derivatives, and a score: the accuracy or R²."""

    @property
    def score(self) -> str:
        """Its name: accuracy or r2."""
        ...

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        """The loss [R, N] of each example; labels are [N, …] or [R, N, …]."""
        ...

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The same losses, and their derivatives [R, O, N] by the outputs."""
        ...

    def credit(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        """A number [R, N] for each example: whether it is classified rightly (a NaN never is), or its squared error."""
        ...

    def scored(self, credit_R: Tensor, labels: Tensor) -> Tensor:
        """The score [R] from the mean credit of all examples with these labels."""
        ...


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples [N, …] and their labels: classes [N], targets [N] in float64, or tokens [N, C]."""

    inputs: NDArray[np.float64] | NDArray[np.int64]
    labels: NDArray[np.int64] | NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.inputs)

    def first(self, num: int | None) -> "Examples":
        """The first examples; all for None."""
        return Examples(self.inputs[:num], self.labels[:num])


@dataclass(frozen=True, eq=False)
class SupervisedSetup:
    """A network, its loss, the examples of each part, and the batches.

    `relabel` gives labels [S, N] of the training examples for each seed, where seeds have different ones. `l2` and `l1`
    add ½ · l2 · ‖weights without biases‖² + l1 · Σ|weights without biases| to the loss of training. `minimum` is that
    of the loss where it is known.
    """

    network: Network
    head: Head
    training: Examples
    test: Examples | None
    batch_size: BatchSize
    shuffle: bool
    augment: Augment | None = None
    relabel: Callable[[NDArray[np.int64]], NDArray[np.int64]] | None = None
    validation: Examples | None = None
    l2: float = 0.0
    l1: float = 0.0
    minimum: Minimum | None = None

    @property
    def examples_per_batch(self) -> int:
        return len(self.training) if self.batch_size == "full" else min(self.batch_size, len(self.training))

    @property
    def whole(self) -> bool:
        return self.examples_per_batch == len(self.training) and self.augment is None

    @property
    def num_batches(self) -> int:
        return math.ceil(len(self.training) / self.examples_per_batch)

    def variance_share(self, accumulate: int) -> float:
        num = len(self.training)
        return share_without_replacement(min(self.examples_per_batch * accumulate, num), num)

    @property
    def num_parameters(self) -> int:
        return sum(math.prod(shape) for shape in self.network.shapes)

"""How do all runs of a stack learn to tell classes apart: which batch is next, what is minimised, how is it tested?"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.networks.network import Network
from worker.engine.numerics.hessian import hessian_product
from worker.engine.numerics.lanczos import largest_eigenvalue
from worker.engine.numerics.noise_trace import noise_trace, share_without_replacement
from worker.engine.numerics.random import permutations
from worker.engine.protocols import BatchSize, Evaluation, Look, never

# The whole training data go through the networks in chunks, so that the activations of all runs, this many numbers,
# stay near the processor's cache. 40 mlps were evaluated in 8.8 ms so, in 10.4 ms all at once, in 10.2 ms where chunks
# were a quarter of this.
NUMBERS_PER_CHUNK = 2**20
# Convolutions of fewer examples at a time cost more in calls than they save in cache.
SMALLEST_CHUNK = 64

# Changes the examples [R, B, I] of the batch at a step: (examples, seeds [S], seed of each column, step) → examples.
Augment = Callable[[Tensor, NDArray[np.int64], NDArray[np.int64], int], Tensor]


class Head(Protocol):
    """What outputs [R, O, N] mean: a loss and a slope for each, and whether the greatest of them is the right one."""

    def losses(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        """The loss [R, N] of each example; labels are [N] or [R, N]."""
        ...

    def slopes(self, outputs_RON: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The same losses, and their derivatives [R, O, N] by the outputs."""
        ...

    def right(self, outputs_RON: Tensor, labels: Tensor) -> Tensor:
        """Which examples [R, N] are classified rightly; one with an output that is NaN never is."""
        ...


@dataclass(frozen=True, eq=False)
class Examples:
    """Examples [N, …] and their labels: [N], or of the runs' seeds each its own [S, N]."""

    inputs: NDArray[np.float64]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned: a network, what its outputs mean, the examples to learn from and those to be tested with.

    `relabel` gives labels [S, N] of the training examples to each seed, where seeds see different ones.
    """

    network: Network
    head: Head
    training: Examples
    test: Examples
    batch_size: BatchSize
    shuffle: bool
    augment: Augment | None = None
    relabel: Callable[[NDArray[np.int64]], NDArray[np.int64]] | None = None

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


class Asked:
    """Asks a head for slopes of a mean over `num` examples, when a network has outputs, and keeps what it said."""

    outputs_RON: Tensor
    losses_RN: Tensor

    def __init__(self, head: Head, labels: Tensor, num: int) -> None:
        self._head, self._labels, self._num = head, labels, num

    def __call__(self, outputs_RON: Tensor) -> Tensor:
        self.outputs_RON = outputs_RON
        self.losses_RN, slopes_RON = self._head.slopes(outputs_RON, self._labels)
        return slopes_RON / self._num


class Classification:
    """A lesson for the columns of one stack. In memory weights are rows [R, D]; everybody else sees columns [D, R]."""

    def __init__(self, lesson: Lesson, seeds_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device) -> None:
        self.look: Look = never
        self._lesson, self._network, self._head = lesson, lesson.network, lesson.head
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        self._columns = torch.from_numpy(self._seed_of_column).to(device)
        start_SD = torch.stack([self._network.start(int(seed)) for seed in self._seeds_S]).to(device, dtype)
        self.start_DR = start_SD[self._columns].T
        self._inputs = torch.from_numpy(lesson.training.inputs).to(device, dtype)
        labels = lesson.training.labels
        if lesson.relabel is not None:
            labels = lesson.relabel(self._seeds_S)[self._seed_of_column]
        self._labels = torch.from_numpy(labels).to(device)
        self._test_inputs = torch.from_numpy(lesson.test.inputs).to(device, dtype)
        self._test_labels = torch.from_numpy(lesson.test.labels).to(device)
        self._none = torch.zeros((), dtype=dtype, device=device)
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        num = len(self._inputs)
        loss_R = accuracy_R = gradient_RD = self._none
        for inputs, labels in self._chunks():
            asked = Asked(self._head, labels, num)
            part_RD = self._network.gradient(weights_DR.T, inputs, asked)
            gradient_RD = gradient_RD + part_RD
            loss_R = loss_R + asked.losses_RN.sum(1)
            accuracy_R = accuracy_R + self._head.right(asked.outputs_RON, labels).sum(1)
        return Evaluation(loss_R / num, gradient_RD.T, accuracy_R / num)

    def loss(self, weights_DR: Tensor) -> Tensor:
        loss_R = self._none
        for inputs, labels in self._chunks():
            outputs_RON = self._network.outputs(weights_DR.T, inputs)
            loss_R = loss_R + self._head.losses(outputs_RON, labels).sum(1)
        return loss_R / len(self._inputs)

    def test(self, weights_DR: Tensor) -> tuple[Tensor, Tensor]:
        loss_R = accuracy_R = self._none
        for part in range(0, len(self._test_inputs), self._examples_per_chunk):
            self.look()
            chosen = slice(part, part + self._examples_per_chunk)
            outputs_RON = self._network.outputs(weights_DR.T, self._test_inputs[chosen])
            loss_R = loss_R + self._head.losses(outputs_RON, self._test_labels[chosen]).sum(1)
            accuracy_R = accuracy_R + self._head.right(outputs_RON, self._test_labels[chosen]).sum(1)
        return loss_R / len(self._test_inputs), accuracy_R / len(self._test_inputs)

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        if self._lesson.whole:
            known = known or self.evaluate(weights_DR)
            return known.loss_R[None], known.gradient_DR
        inputs, labels = self._batch(step)
        asked = Asked(self._head, labels, labels.shape[-1])
        gradient_RD = self._network.gradient(weights_DR.T, inputs, asked)
        return asked.losses_RN.mean(1)[None], gradient_RD.T

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        num = len(self._inputs)
        losses = [self._mean_loss(inputs, labels, num) for inputs, labels in self._chunks()]
        return largest_eigenvalue(lambda direction: hessian_product(losses, weights_DR, direction), weights_DR)

    def _mean_loss(self, inputs: Tensor, labels: Tensor, num: int) -> Callable[[Tensor], Tensor]:
        def loss(weights_DR: Tensor) -> Tensor:
            self.look()
            return self._head.losses(self._network.outputs(weights_DR.T, inputs), labels).sum(1) / num

        return loss

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        squares_RN = [
            self._network.squared_norms(weights_DR.T, inputs, Asked(self._head, labels, 1))
            for inputs, labels in self._chunks()
        ]
        return noise_trace(torch.cat(squares_RN, 1).T, gradient_DR)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The examples of a micro-batch, [B, …] where all runs see the same ones, else [R, B, …], and their labels."""
        lesson = self._lesson
        epoch, index = divmod(step, lesson.num_batches)
        first = index * lesson.examples_per_batch
        chosen = slice(first, first + lesson.examples_per_batch)
        if lesson.shuffle:
            # Selecting along one axis takes a fifth of the time of indexing with a matrix.
            order_RB = self._order_of(epoch)[:, chosen]
            num = order_RB.numel()
            inputs = self._inputs.index_select(0, order_RB.reshape(num)).view(*order_RB.shape, -1)
            if self._labels.dim() == 1:
                labels = self._labels.index_select(0, order_RB.reshape(num)).view(order_RB.shape)
            else:
                labels = self._labels.gather(1, order_RB.expand(len(self._columns), -1))
            if len(order_RB) < len(self._columns):
                inputs = inputs[0]
        else:
            inputs, labels = self._inputs[chosen], self._labels[..., chosen]
        if lesson.augment is not None:
            if inputs.dim() == self._inputs.dim():
                inputs = inputs.expand(len(self._columns), *inputs.shape)
            inputs = lesson.augment(inputs, self._seeds_S, self._seed_of_column, step)
        return inputs, labels

    def _order_of(self, epoch: int) -> Tensor:
        """The order [R, N] in which each run goes through the examples in an epoch; [1, N] where all have one seed."""
        if self._order[0] != epoch:
            order_NS = permutations(self._seeds_S, np.array([epoch]), len(self._inputs))[0]
            order_SN = torch.from_numpy(np.ascontiguousarray(order_NS.T)).to(self._inputs.device)
            self._order = epoch, order_SN if len(order_SN) == 1 else order_SN[self._columns]
        return self._order[1]

    @property
    def _examples_per_chunk(self) -> int:
        return max(SMALLEST_CHUNK, NUMBERS_PER_CHUNK // (self._network.numbers_per_example * len(self._columns)))

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(self._inputs), self._examples_per_chunk):
            self.look()
            chosen = slice(first, first + self._examples_per_chunk)
            yield self._inputs[chosen], self._labels[..., chosen]

"""Objective of a classification problem for all runs of a stack: batches, gradients, test, curvature and noise."""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.classification.setup import ClassificationSetup, Head
from worker.engine.numerics.hessian import hessian_product
from worker.engine.numerics.lanczos import largest_eigenvalue
from worker.engine.numerics.noise_trace import noise_trace
from worker.engine.numerics.random import permutations
from worker.engine.protocols import Evaluation, Poll, never_pause

# All training data are evaluated in chunks, so that the activations of all runs, this many numbers, stay near the
# processor's cache. 40 mlps take 8.8 ms with this size, 10.4 ms in one chunk, 10.2 ms with a quarter of it.
NUMBERS_PER_CHUNK = 2**20
# Smaller chunks of convolutions cost more in calls than they save in cache.
SMALLEST_CHUNK = 64


class OutputSlopes:
    """Slopes of a mean loss over `num` examples at a network's outputs; keeps the outputs and losses of the call."""

    outputs_RON: Tensor
    losses_RN: Tensor

    def __init__(self, head: Head, labels: Tensor, num: int) -> None:
        self._head, self._labels, self._num = head, labels, num

    def __call__(self, outputs_RON: Tensor) -> Tensor:
        self.outputs_RON = outputs_RON
        self.losses_RN, slopes_RON = self._head.slopes(outputs_RON, self._labels)
        return slopes_RON / self._num


class ClassificationObjective:
    """A classification problem for the columns of one stack. Weights are [R, D] in memory, [D, R] to callers."""

    def __init__(
        self, setup: ClassificationSetup, seeds_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.poll: Poll = never_pause
        self._setup, self._network, self._head = setup, setup.network, setup.head
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        self._columns = torch.from_numpy(self._seed_of_column).to(device)
        start_SD = torch.stack([self._network.start(int(seed)) for seed in self._seeds_S]).to(device, dtype)
        self.start_DR = start_SD[self._columns].T
        self._inputs = torch.from_numpy(setup.training.inputs).to(device, dtype)
        labels = setup.training.labels
        if setup.relabel is not None:
            labels = setup.relabel(self._seeds_S)[self._seed_of_column]
        self._labels = torch.from_numpy(labels).to(device)
        self._test_inputs = torch.from_numpy(setup.test.inputs).to(device, dtype)
        self._test_labels = torch.from_numpy(setup.test.labels).to(device)
        self._none = torch.zeros((), dtype=dtype, device=device)
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        num = len(self._inputs)
        loss_R = accuracy_R = gradient_RD = self._none
        for inputs, labels in self._chunks():
            slopes = OutputSlopes(self._head, labels, num)
            part_RD = self._network.gradient(weights_DR.T, inputs, slopes)
            gradient_RD = gradient_RD + part_RD
            loss_R = loss_R + slopes.losses_RN.sum(1)
            accuracy_R = accuracy_R + self._head.right(slopes.outputs_RON, labels).sum(1)
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
            self.poll()
            chosen = slice(part, part + self._examples_per_chunk)
            outputs_RON = self._network.outputs(weights_DR.T, self._test_inputs[chosen])
            loss_R = loss_R + self._head.losses(outputs_RON, self._test_labels[chosen]).sum(1)
            accuracy_R = accuracy_R + self._head.right(outputs_RON, self._test_labels[chosen]).sum(1)
        return loss_R / len(self._test_inputs), accuracy_R / len(self._test_inputs)

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        if self._setup.whole:
            known = known or self.evaluate(weights_DR)
            return known.loss_R[None], known.gradient_DR
        inputs, labels = self._batch(step)
        slopes = OutputSlopes(self._head, labels, labels.shape[-1])
        gradient_RD = self._network.gradient(weights_DR.T, inputs, slopes)
        return slopes.losses_RN.mean(1)[None], gradient_RD.T

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        num = len(self._inputs)
        losses = [self._mean_loss(inputs, labels, num) for inputs, labels in self._chunks()]
        return largest_eigenvalue(lambda direction: hessian_product(losses, weights_DR, direction), weights_DR)

    def _mean_loss(self, inputs: Tensor, labels: Tensor, num: int) -> Callable[[Tensor], Tensor]:
        def loss(weights_DR: Tensor) -> Tensor:
            self.poll()
            return self._head.losses(self._network.outputs(weights_DR.T, inputs), labels).sum(1) / num

        return loss

    def noise_trace(self, weights_DR: Tensor, gradient_DR: Tensor) -> Tensor:
        squares_RN = [
            self._network.squared_norms(weights_DR.T, inputs, OutputSlopes(self._head, labels, 1))
            for inputs, labels in self._chunks()
        ]
        return noise_trace(torch.cat(squares_RN, 1).T, gradient_DR)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        """The examples of a micro-batch, [B, …] if shared by all runs, else [R, B, …], and their labels."""
        setup = self._setup
        epoch, index = divmod(step, setup.num_batches)
        first = index * setup.examples_per_batch
        chosen = slice(first, first + setup.examples_per_batch)
        if setup.shuffle:
            # index_select takes a fifth of the time of indexing with a matrix.
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
        if setup.augment is not None:
            if inputs.dim() == self._inputs.dim():
                inputs = inputs.expand(len(self._columns), *inputs.shape)
            inputs = setup.augment(inputs, self._seeds_S, self._seed_of_column, step)
        return inputs, labels

    def _order_of(self, epoch: int) -> Tensor:
        """The order [R, N] of the examples of each run in an epoch; [1, N] where all runs have one seed."""
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
            self.poll()
            chosen = slice(first, first + self._examples_per_chunk)
            yield self._inputs[chosen], self._labels[..., chosen]

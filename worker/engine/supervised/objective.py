"""Objective of a supervised problem for all runs of a stack: batches, gradients, test, curvature and noise."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.numerics.columns import norm
from worker.engine.numerics.hessian import hessian_product
from worker.engine.numerics.lanczos import largest_eigenvalue
from worker.engine.numerics.noise_trace import noise_trace
from worker.engine.numerics.random import permutations
from worker.engine.protocols import Evaluation, Poll, never_pause
from worker.engine.supervised.penalty import Penalty
from worker.engine.supervised.setup import Examples, Head, SupervisedSetup

# All training data are evaluated in chunks, so that the activations of all runs, this many numbers, stay near the
# processor's cache. 40 mlps take 8.8 ms with this size, 10.4 ms in one chunk, 10.2 ms with a quarter of it.
NUMBERS_PER_CHUNK = 2**20
# Smaller chunks of convolutions cost more in calls than they save in cache.
SMALLEST_CHUNK = 64
# Runs whose chunks are computed at once where a network bounds the numbers that are.
RUNS_AT_ONCE = 2


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


class SupervisedObjective:
    """A supervised problem for the columns of one stack. Weights are [R, D] in memory, [D, R] to callers."""

    def __init__(
        self, setup: SupervisedSetup, seeds_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
    ) -> None:
        self.poll: Poll = never_pause
        self._setup, self._network, self._head = setup, setup.network, setup.head
        self._seeds_S, self._seed_of_column = np.unique(seeds_R, return_inverse=True)
        self._columns = torch.from_numpy(self._seed_of_column).to(device)
        start_SD = torch.stack([self._network.start(int(seed)) for seed in self._seeds_S]).to(device, dtype)
        self.start_DR = start_SD[self._columns].T
        self._dtype, self._device = dtype, device
        self._inputs, self._labels = self._tensors(setup.training)
        self._labels_by_run = setup.relabel is not None
        if setup.relabel is not None:
            labels = setup.relabel(self._seeds_S)[self._seed_of_column]
            self._labels = torch.from_numpy(labels).to(device)
        self._test = None if setup.test is None else self._tensors(setup.test)
        self._validation = None if setup.validation is None else self._tensors(setup.validation)
        self._none = torch.zeros((), dtype=dtype, device=device)
        self._order: tuple[int, Tensor] = (-1, torch.empty(0))
        has_penalty = setup.l2 or setup.l1
        self._penalty = Penalty(setup.l2, self._network.shapes, dtype, device, setup.l1) if has_penalty else None

    def _tensors(self, examples: Examples) -> tuple[Tensor, Tensor]:
        """Inputs and labels on the device: numbers in the dtype of the weights, tokens and classes as integers."""
        inputs, labels = (torch.from_numpy(array).to(self._device) for array in (examples.inputs, examples.labels))
        return self._converted(inputs), self._converted(labels)

    def _converted(self, values: Tensor) -> Tensor:
        return values.to(self._dtype) if values.is_floating_point() else values

    def evaluate(self, weights_DR: Tensor) -> Evaluation:
        num = len(self._inputs)
        loss_R = credit_R = gradient_RD = self._none
        for inputs, labels in self._chunks():
            part_RD, losses_RN, credit_RN = self._gradient(weights_DR, inputs, labels, num)
            gradient_RD = gradient_RD + part_RD
            loss_R = loss_R + losses_RN.sum(1)
            credit_R = credit_R + credit_RN.sum(1)
        loss_R, score_R = loss_R / num, self._head.scored(credit_R / num, self._labels)
        return Evaluation(*self._penalized(weights_DR, loss_R, gradient_RD.T), score_R)

    def loss(self, weights_DR: Tensor) -> Tensor:
        loss_R = self._none
        for inputs, labels in self._chunks():
            loss_R = loss_R + self._losses(weights_DR, inputs, labels)[0].sum(1)
        loss_R = loss_R / len(self._inputs)
        return loss_R if self._penalty is None else loss_R + self._penalty.loss(weights_DR)

    def test(self, weights_DR: Tensor) -> tuple[Tensor, Tensor]:
        assert self._test is not None
        return self._without_training(weights_DR, *self._test)

    def validation_loss(self, weights_DR: Tensor) -> Tensor:
        assert self._validation is not None
        return self._without_training(weights_DR, *self._validation)[0]

    def _without_training(self, weights_DR: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and score [R] on examples that do not train."""
        loss_R = credit_R = self._none
        for part in range(0, len(inputs), self._examples_per_chunk):
            self.poll()
            chosen = slice(part, part + self._examples_per_chunk)
            losses_RN, credit_RN = self._losses(weights_DR, inputs[chosen], labels[chosen])
            loss_R = loss_R + losses_RN.sum(1)
            credit_R = credit_R + credit_RN.sum(1)
        return loss_R / len(inputs), self._head.scored(credit_R / len(inputs), labels)

    def batch(self, weights_DR: Tensor, step: int, known: Evaluation | None) -> tuple[Tensor, Tensor]:
        if self._setup.whole:
            known = known or self.evaluate(weights_DR)
            return known.loss_R[None], known.gradient_DR
        inputs, labels = self._batch(step)
        num = inputs.shape[-2]
        gradient_RD, losses_RN, _ = self._gradient(weights_DR, inputs, labels, num, has_credit=False)
        loss_R, gradient_DR = self._penalized(weights_DR, losses_RN.mean(1), gradient_RD.T)
        return loss_R[None], gradient_DR

    def _gradient(
        self, weights_DR: Tensor, inputs: Tensor, labels: Tensor, num: int, *, has_credit: bool = True
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Gradients [R, D] of a mean over `num` examples, losses [R, N] and credits [R, N] of some examples."""
        found = []
        for weights_RD, own, own_labels in self._blocks(weights_DR, inputs, labels):
            slopes = OutputSlopes(self._head, own_labels, num)
            gradient_RD = self._network.gradient(weights_RD, own, slopes)
            credit_RN = self._head.credit(slopes.outputs_RON, own_labels) if has_credit else slopes.losses_RN
            found.append((gradient_RD, slopes.losses_RN, credit_RN))
        gradient_RD, losses_RN, credit_RN = _joined(found)
        return gradient_RD, losses_RN, credit_RN

    def _losses(self, weights_DR: Tensor, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Losses [R, N] and credits [R, N] of some examples."""
        found = []
        for weights_RD, own, own_labels in self._blocks(weights_DR, inputs, labels):
            outputs_RON = self._network.outputs(weights_RD, own)
            found.append((self._head.losses(outputs_RON, own_labels), self._head.credit(outputs_RON, own_labels)))
        losses_RN, credit_RN = _joined(found)
        return losses_RN, credit_RN

    def _blocks(self, weights_DR: Tensor, inputs: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Weights, examples and labels of as many runs as the network computes at once."""
        at_once, num_runs = self._network.numbers_at_once, weights_DR.shape[1]
        per_run = self._network.numbers_per_example * inputs.shape[-2]
        num = num_runs if at_once is None else max(1, at_once // per_run)
        for first in range(0, num_runs, num):
            runs = slice(first, first + num)
            yield (
                weights_DR.T[runs],
                inputs[runs] if inputs.dim() > self._inputs.dim() else inputs,
                labels[runs] if labels.dim() > self._setup.training.labels.ndim else labels,
            )

    def _penalized(self, weights_DR: Tensor, loss_R: Tensor, gradient_DR: Tensor) -> tuple[Tensor, Tensor]:
        if self._penalty is None:
            return loss_R, gradient_DR
        return loss_R + self._penalty.loss(weights_DR), gradient_DR + self._penalty.gradient(weights_DR)

    def distance_to_minimum(self, weights_DR: Tensor) -> Tensor:
        assert self._setup.minimum is not None
        return norm(self._setup.minimum.away(weights_DR))

    def sharpness(self, weights_DR: Tensor) -> Tensor:
        num = len(self._inputs)
        losses = [self._mean_loss(inputs, labels, num) for inputs, labels in self._chunks()]
        if self._penalty is not None:
            losses.append(self._penalty.loss)
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
        if self._penalty is not None:  # It is the same for every example.
            gradient_DR = gradient_DR - self._penalty.gradient(weights_DR)
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
            inputs = _rows(self._inputs, order_RB)
            if self._labels_by_run:
                labels = self._labels.gather(1, order_RB.expand(len(self._columns), -1))
            else:
                labels = _rows(self._labels, order_RB)
            if len(order_RB) < len(self._columns):
                inputs = inputs[0]
        else:
            inputs, labels = self._inputs[chosen], self._labels_of(chosen)
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
        at_once, numbers = self._network.numbers_at_once, self._network.numbers_per_example
        if at_once is not None:
            return max(1, at_once // (RUNS_AT_ONCE * numbers))
        return max(SMALLEST_CHUNK, NUMBERS_PER_CHUNK // (numbers * len(self._columns)))

    def _chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        for first in range(0, len(self._inputs), self._examples_per_chunk):
            self.poll()
            chosen = slice(first, first + self._examples_per_chunk)
            yield self._inputs[chosen], self._labels_of(chosen)

    def _labels_of(self, chosen: slice) -> Tensor:
        return self._labels[:, chosen] if self._labels_by_run else self._labels[chosen]


def _joined(blocks: Sequence[tuple[Tensor, ...]]) -> tuple[Tensor, ...]:
    """The results of all blocks, run after run."""
    return blocks[0] if len(blocks) == 1 else tuple(torch.cat(parts) for parts in zip(*blocks, strict=True))


def _rows(values: Tensor, order_RB: Tensor) -> Tensor:
    """Rows of values [N, …] in the order of each run: [R, B, …]."""
    return values.index_select(0, order_RB.reshape(order_RB.numel())).view(*order_RB.shape, *values.shape[1:])

"""How does one block of columns train through an epoch, and what can be measured of it afterwards?

A block is as wide as the processor's cache is large: it goes through all updates of an epoch before the next block
has its turn. Blocks are independent, so where they are cut changes nothing but the time.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from worker.engine.groups import Group
from worker.engine.layout import Block, Layout
from worker.engine.measures import VELOCITY, landed
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.protocols import Deciding, Evaluation, Optimizer, Problem, State, Tested
from worker.engine.reduce import norm, squared_norm, sum_rows
from worker.engine.settings import SettingsTable


@dataclass(slots=True)
class Part:
    """The columns start:stop of all, which belong to one group: their optimizer, its settings and its state."""

    group: int
    start: int
    stop: int
    optimizer: Optimizer
    terms: frozenset[str]
    settings: SettingsTable
    state: State

    def update(self, weights_DR: Tensor, gradient_DR: Tensor, update: int) -> Tensor:
        """The weights after update number `update`; the state moves along."""
        rows = self.settings.rows(update)
        weights_DR, self.state = self.optimizer.update(weights_DR, gradient_DR, self.state, rows, self.terms)
        return weights_DR


class Stack:
    """The columns of one block: their weights [D, R], the state of their optimizers, and what they minimise."""

    def __init__(
        self,
        problem: Problem,
        groups: tuple[Group, ...],
        layout: Layout,
        block: Block,
        accumulate: int,
        dtype: torch.dtype,
        device: torch.device,
        measure: tuple[str, ...] = (),
    ) -> None:
        self.block = block
        self._extra = measure
        self._variance_share = problem.variance_share(accumulate)
        self._objective = problem.objective(layout.source[block.start : block.stop], dtype, device)
        self._whole = problem.whole
        self._has_position = problem.has_position
        self._minima_MD1 = torch.from_numpy(problem.minima_MD[:, :, None]).to(device=device, dtype=dtype)
        self._num_batches = problem.num_batches(accumulate)
        self._accumulate = accumulate
        self._updates_per_epoch = -(-self._num_batches // accumulate)
        self.weights_DR = self._start_DR = self._before_DR = self._objective.start_DR
        self._shift = problem.shift
        if self._shift is not None:
            self._shift_D1 = torch.from_numpy(self._shift.by_D[:, None]).to(device=device, dtype=dtype)
        self._updates = 0
        self._train_loss_R: Tensor | None = None
        # Before the epoch's last update: the weights, and what the objective is there.
        self._before_last: tuple[Tensor, Evaluation] | None = None
        self._known: Evaluation | None = None
        self.parts = [self._part(groups[part[0]], layout, *part, dtype, device) for part in block.parts]

    def _part(
        self,
        group: Group,
        layout: Layout,
        index: int,
        start: int,
        stop: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> Part:
        optimizer = OPTIMIZERS[group.kind]
        settings = SettingsTable(group, layout.members(index, start, stop), dtype, device)
        state = {}
        for name in optimizer.state_names(group.terms):
            # Like the weights, which may stand in memory run by run.
            state[name] = torch.zeros_like(self.weights_DR[:, start - self.block.start : stop - self.block.start])
            if name in optimizer.state_from:
                state[name] += settings.at_start(optimizer.state_from[name])
        return Part(index, start, stop, optimizer, group.terms, settings, state)

    def train(self, epoch: int) -> None:
        """One pass over the data: epoch number `epoch`, counted from 1."""
        self._before_DR = self.weights_DR
        self._updates = update = (epoch - 1) * self._updates_per_epoch
        first_step = (epoch - 1) * self._num_batches
        losses_KR = []
        for start in range(0, self._num_batches, self._accumulate):
            stop = min(start + self._accumulate, self._num_batches)
            if "alpha" in self._extra and stop == self._num_batches:
                self._before_last = self.weights_DR, self._evaluation()
            gradients_DR = []
            for step in range(first_step + start, first_step + stop):
                loss_KR, gradient_DR = self._objective.batch(self._place_DR, step, self._known)
                losses_KR.append(loss_KR)
                gradients_DR.append(gradient_DR)
            self._update(_mean(gradients_DR), update)
            update += 1
        loss_KR = _mean(losses_KR)
        self._train_loss_R = sum_rows(loss_KR) / len(loss_KR) if len(loss_KR) > 1 else loss_KR[0]

    def _update(self, gradient_DR: Tensor, update: int) -> None:
        self._known = None
        self._updates = update + 1
        if len(self.parts) == 1:
            self.weights_DR = self.parts[0].update(self.weights_DR, gradient_DR, update)
            return
        widths = [part.stop - part.start for part in self.parts]
        columns = zip(
            self.parts,
            self.weights_DR.split_with_sizes(widths, 1),
            gradient_DR.split_with_sizes(widths, 1),
            strict=True,
        )
        self.weights_DR = beside([part.update(weights, gradient, update) for part, weights, gradient in columns])

    @property
    def _place_DR(self) -> Tensor:
        """Where the weights are on the landscape: seen from one that has moved, they have moved the other way."""
        if self._shift is None or self._updates < self._shift.at:
            return self.weights_DR
        return self.weights_DR - self._shift_D1

    def loss(self) -> Tensor:
        """The loss [R] at the present weights, as cheaply as it can be had."""
        if self._whole or self._known:
            # Where the batch is all of the data, the next update takes the gradient that comes with it.
            return self._evaluation().loss_R
        return self._objective.loss(self._place_DR)

    def _evaluation(self) -> Evaluation:
        if self._known is None:
            self._known = self._objective.evaluate(self._place_DR)
        return self._known

    def measure(self) -> dict[str, Tensor]:
        """The fields of the history at the present weights, as rows [R], without those that do not exist here."""
        known = self._evaluation()
        rows = {
            "loss": known.loss_R,
            "grad_norm": norm(known.gradient_DR),
            "distance_from_start": norm(self.weights_DR - self._start_DR),
        }
        if known.accuracy_R is not None:
            rows["accuracy"] = known.accuracy_R
        if isinstance(self._objective, Tested):
            rows["test_loss"], rows["test_accuracy"] = self._objective.test(self.weights_DR)
        if self._train_loss_R is not None:
            rows["train_loss"] = self._train_loss_R
            rows["update_norm"] = norm(self.weights_DR - self._before_DR)
        if len(self._minima_MD1):
            away_DMR = (self._place_DR - self._minima_MD1).movedim(1, 0)
            rows["distance_to_minimum"] = torch.sqrt(sum_rows(away_DMR * away_DMR).amin(0))
        if self._has_position:
            rows |= zip(("x", "y"), self.weights_DR, strict=False)
        return rows | self._on_request(known)

    def _on_request(self, known: Evaluation) -> dict[str, Tensor]:
        """The fields of measures.py that the plan asks for."""
        rows: dict[str, Tensor] = {}
        if "sharpness" in self._extra:
            rows["sharpness"] = self._objective.sharpness(self._place_DR)
        if "noise_scale" in self._extra or "gradient_variance" in self._extra:
            trace_R = self._objective.noise_trace(self._place_DR, known.gradient_DR)
            rows["noise_scale"] = trace_R / squared_norm(known.gradient_DR)
            rows["gradient_variance"] = trace_R * self._variance_share
        if self._before_last is not None:
            weights_DR, before = self._before_last
            rows["alpha"] = landed(self.weights_DR - weights_DR, before, known)
        if "velocity_norm" in self._extra:
            none_R = known.loss_R.new_full((), torch.nan)
            norms = [
                norm(part.state[VELOCITY]) if VELOCITY in part.state else none_R.expand(part.stop - part.start)
                for part in self.parts
            ]
            rows["velocity_norm"] = torch.cat(norms)
        return {name: rows[name] for name in self._extra if name in rows}

    def decision(self) -> Tensor | None:
        """What the networks decide on a grid [R, y, x], where they decide about a plane."""
        return self._objective.decision(self.weights_DR) if isinstance(self._objective, Deciding) else None

    def in_force(self, epoch: int) -> list[tuple[Part, Tensor, Tensor | None]]:
        """Learning rate and momentum [R of the part] in float64 at an epoch's last update; at epoch 0, the first."""
        update = max(0, epoch * self._updates_per_epoch - 1)
        return [(part, *part.settings.recorded(update)) for part in self.parts]


def beside(matrices: list[Tensor]) -> Tensor:
    """Several matrices as one, which stands in memory as they do: parameter by parameter, or run by run."""
    if matrices[0].stride(0) == 1 and matrices[0].shape[1] > 1:
        return torch.cat([matrix.T for matrix in matrices]).T
    return torch.cat(matrices, 1)


def _mean(values: list[Tensor]) -> Tensor:
    total = values[0]
    for value in values[1:]:
        total = total + value
    return total / len(values) if len(values) > 1 else total

"""How does one block of columns train through an epoch, and what can be measured of it afterwards?

A block is as wide as the processor's cache is large: it goes through all updates of an epoch before the next block
has its turn. Blocks are independent, so where they are cut changes nothing but the time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from worker.engine.groups import Group
from worker.engine.layout import Block, Layout
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.optimizers.gradient import CLIPPING, clipped
from worker.engine.protocols import Evaluation, Optimizer, Problem, Rows, Shapes, State
from worker.engine.reduce import norm
from worker.engine.settings import SettingsTable


@dataclass(slots=True)
class Part:
    """The columns start:stop of all, which belong to one group: their optimizer, its settings and its state."""

    group: int
    start: int
    stop: int
    optimizer: Optimizer
    shapes: Shapes
    terms: frozenset[str]
    settings: SettingsTable
    state: State = field(default_factory=dict)
    first_rows: Rows = field(default_factory=dict)
    step: Callable[..., tuple[Tensor, State]] = field(init=False)
    clips: bool = field(init=False)

    def __post_init__(self) -> None:
        self.step = self.optimizer.for_shapes(self.shapes)
        self.clips = not self.terms.isdisjoint(CLIPPING)

    def begin(self, weights_DR: Tensor) -> None:
        """Lays out the state for runs that start here."""
        if self.optimizer.evaluation_point is not None:
            self.first_rows = self.settings.rows(0)
        for name in self.optimizer.state_names(self.terms):
            begin = self.optimizer.state_from.get(name, 0.0)
            if begin == "weights":
                self.state[name] = weights_DR
                continue
            value = self.settings.at_start(begin) if isinstance(begin, str) else begin
            num_rows = self.optimizer.num_rows(name, self.shapes)
            self.state[name] = weights_DR.new_zeros(num_rows, self.stop - self.start) + value

    def update(self, weights_DR: Tensor, gradient_DR: Tensor, update: int) -> Tensor:
        """The weights after update number `update`; the state moves along."""
        rows = self.settings.rows(update)
        if self.clips:
            gradient_DR = clipped(gradient_DR, rows, self.terms)
        weights_DR, self.state = self.step(weights_DR, gradient_DR, self.state, rows, self.terms)
        return weights_DR

    def evaluation_point(self, weights_DR: Tensor) -> Tensor:
        """What the method would answer with now: the weights, or a point that it derives from them and its state."""
        if self.optimizer.evaluation_point is None:
            return weights_DR
        return self.optimizer.evaluation_point(weights_DR, self.state, self.first_rows)


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
    ) -> None:
        self.block = block
        self._objective = problem.objective(layout.source[block.start : block.stop], dtype, device)
        self._whole = problem.whole
        self._has_position = problem.has_position
        self._minima_MD1 = torch.from_numpy(problem.minima_MD[:, :, None]).to(device=device, dtype=dtype)
        self._num_batches = problem.num_batches(accumulate)
        self._accumulate = accumulate
        self._updates_per_epoch = -(-self._num_batches // accumulate)
        self.weights_DR = self._start_DR = self._before_DR = self._objective.start_DR
        self._train_loss_R: Tensor | None = None
        # The evaluation at the weights, and at the point that the optimizers answer with where that is another one.
        self._known: Evaluation | None = None
        self._answer: tuple[Tensor, Evaluation] | None = None
        self.parts = [self._part(problem, groups[part[0]], layout, *part, dtype, device) for part in block.parts]
        self._answers_elsewhere = any(part.optimizer.evaluation_point is not None for part in self.parts)
        for part, weights_DR in zip(self.parts, self._by_part(self.weights_DR), strict=True):
            part.begin(weights_DR)

    def _part(
        self,
        problem: Problem,
        group: Group,
        layout: Layout,
        index: int,
        start: int,
        stop: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> Part:
        members = layout.members(index, start, stop)
        settings = SettingsTable(group, members, dtype, device, self._updates_per_epoch)
        return Part(index, start, stop, OPTIMIZERS[group.kind], problem.shapes, group.terms, settings)

    def _by_part(self, matrix_DR: Tensor) -> tuple[Tensor, ...]:
        return matrix_DR.split_with_sizes([part.stop - part.start for part in self.parts], 1)

    def train(self, epoch: int) -> None:
        """One pass over the data: epoch number `epoch`, counted from 1."""
        self._before_DR = self._point()
        update = (epoch - 1) * self._updates_per_epoch
        first_step = (epoch - 1) * self._num_batches
        loss_KR: Tensor | None = None
        for start in range(0, self._num_batches, self._accumulate):
            num = min(self._accumulate, self._num_batches - start)
            gradient_DR: Tensor | None = None
            for step in range(first_step + start, first_step + start + num):
                batch_loss_KR, batch_gradient_DR = self._objective.batch(self.weights_DR, step, self._known)
                loss_KR = batch_loss_KR if loss_KR is None else loss_KR + batch_loss_KR
                gradient_DR = batch_gradient_DR if gradient_DR is None else gradient_DR + batch_gradient_DR
            assert gradient_DR is not None
            self._update(gradient_DR / num if num > 1 else gradient_DR, update)
            update += 1
        assert loss_KR is not None
        self._train_loss_R = loss_KR.sum(0) / (len(loss_KR) * self._num_batches)

    def _update(self, gradient_DR: Tensor, update: int) -> None:
        self._known = self._answer = None
        if len(self.parts) == 1:
            self.weights_DR = self.parts[0].update(self.weights_DR, gradient_DR, update)
            return
        columns = zip(self.parts, self._by_part(self.weights_DR), self._by_part(gradient_DR), strict=True)
        self.weights_DR = torch.cat([part.update(weights, gradient, update) for part, weights, gradient in columns], 1)

    def _point(self) -> Tensor:
        """The weights that a history tells of: those that the optimizers would answer with now."""
        if not self._answers_elsewhere:
            return self.weights_DR
        columns = zip(self.parts, self._by_part(self.weights_DR), strict=True)
        return torch.cat([part.evaluation_point(weights) for part, weights in columns], 1)

    def loss(self) -> Tensor:
        """The loss [R] that the history tells of, as cheaply as it can be had."""
        if self._answers_elsewhere:
            return self._answer[1].loss_R if self._answer else self._objective.loss(self._point())
        if self._whole or self._known:
            # Where the batch is all of the data, the next update takes the gradient that comes with it.
            return self._evaluation()[1].loss_R
        return self._objective.loss(self.weights_DR)

    def _evaluation(self) -> tuple[Tensor, Evaluation]:
        """The point that the history tells of, and the evaluation there."""
        if self._answers_elsewhere:
            if self._answer is None:
                point_DR = self._point()
                self._answer = point_DR, self._objective.evaluate(point_DR)
            return self._answer
        if self._known is None:
            self._known = self._objective.evaluate(self.weights_DR)
        return self.weights_DR, self._known

    def measure(self) -> dict[str, Tensor]:
        """The fields of the history at present, as rows [R], without those that do not exist here."""
        point_DR, known = self._evaluation()
        rows = {
            "loss": known.loss_R,
            "grad_norm": norm(known.gradient_DR),
            "distance_from_start": norm(point_DR - self._start_DR),
        }
        if known.accuracy_R is not None:
            rows["accuracy"] = known.accuracy_R
        if self._train_loss_R is not None:
            rows["train_loss"] = self._train_loss_R
            rows["update_norm"] = norm(point_DR - self._before_DR)
        if len(self._minima_MD1):
            away_DMR = (point_DR - self._minima_MD1).movedim(1, 0)
            rows["distance_to_minimum"] = torch.sqrt((away_DMR * away_DMR).sum(0).amin(0))
        if self._has_position:
            rows |= zip(("x", "y"), point_DR, strict=False)
        return rows

    def in_force(self, epoch: int) -> list[tuple[Part, Tensor, Tensor | None]]:
        """Learning rate and momentum [R of the part] in float64 at an epoch's last update; at epoch 0, the first."""
        update = max(0, epoch * self._updates_per_epoch - 1)
        return [(part, *part.settings.recorded(update)) for part in self.parts]

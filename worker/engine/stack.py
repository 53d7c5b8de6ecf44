"""How does one block of columns train through an epoch, and what can be measured of it afterwards?

A block is as wide as the processor's cache is large: it goes through all updates of an epoch before the next block
has its turn. Blocks are independent, so where they are cut changes nothing but the time.
"""

import torch
from torch import Tensor

from worker.engine.groups import Group
from worker.engine.layout import Block, Layout
from worker.engine.measures import VELOCITY, landed
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.part import Part
from worker.engine.protocols import Deciding, Evaluation, Problem, Tested
from worker.engine.reduce import norm, squared_norm
from worker.engine.settings import SettingsTable

# A point, and what the objective is there.
Evaluated = tuple[Tensor, Evaluation]


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
        # The evaluation at the weights, and at the point that the optimizers answer with where that is another one.
        self._known: Evaluation | None = None
        self._answer: Evaluated | None = None
        # What the history would have told of before the epoch's last update.
        self._before_last: Evaluated | None = None
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
        self._updates = update = (epoch - 1) * self._updates_per_epoch
        first_step = (epoch - 1) * self._num_batches
        loss_KR: Tensor | None = None
        for start in range(0, self._num_batches, self._accumulate):
            num = min(self._accumulate, self._num_batches - start)
            if "alpha" in self._extra and start + num == self._num_batches:
                self._before_last = self._evaluation()
            gradient_DR: Tensor | None = None
            for step in range(first_step + start, first_step + start + num):
                place_DR = self._place(self.weights_DR)
                batch_loss_KR, batch_gradient_DR = self._objective.batch(place_DR, step, self._known)
                loss_KR = batch_loss_KR if loss_KR is None else loss_KR + batch_loss_KR
                gradient_DR = batch_gradient_DR if gradient_DR is None else gradient_DR + batch_gradient_DR
            assert gradient_DR is not None
            self._update(gradient_DR / num if num > 1 else gradient_DR, update)
            update += 1
        assert loss_KR is not None
        self._train_loss_R = loss_KR.sum(0) / (len(loss_KR) * self._num_batches)

    def _update(self, gradient_DR: Tensor, update: int) -> None:
        self._known = self._answer = None
        self._updates = update + 1
        if len(self.parts) == 1:
            self.weights_DR = self.parts[0].update(self.weights_DR, gradient_DR, update)
            return
        columns = zip(self.parts, self._by_part(self.weights_DR), self._by_part(gradient_DR), strict=True)
        self.weights_DR = beside([part.update(weights, gradient, update) for part, weights, gradient in columns])

    def _place(self, point_DR: Tensor) -> Tensor:
        """Where a point is on the landscape: seen from one that has moved, it has moved the other way."""
        if self._shift is None or self._updates < self._shift.at:
            return point_DR
        return point_DR - self._shift_D1

    def _point(self) -> Tensor:
        """The weights that a history tells of: those that the optimizers would answer with now."""
        if not self._answers_elsewhere:
            return self.weights_DR
        columns = zip(self.parts, self._by_part(self.weights_DR), strict=True)
        return beside([part.evaluation_point(weights) for part, weights in columns])

    def loss(self) -> Tensor:
        """The loss [R] that the history tells of, as cheaply as it can be had."""
        if self._answers_elsewhere:
            return self._answer[1].loss_R if self._answer else self._objective.loss(self._place(self._point()))
        if self._whole or self._known:
            # Where the batch is all of the data, the next update takes the gradient that comes with it.
            return self._evaluation()[1].loss_R
        return self._objective.loss(self._place(self.weights_DR))

    def _evaluation(self) -> Evaluated:
        """The point that the history tells of, and the evaluation there."""
        if self._answers_elsewhere:
            if self._answer is None:
                point_DR = self._point()
                self._answer = point_DR, self._objective.evaluate(self._place(point_DR))
            return self._answer
        if self._known is None:
            self._known = self._objective.evaluate(self._place(self.weights_DR))
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
        if isinstance(self._objective, Tested):
            rows["test_loss"], rows["test_accuracy"] = self._objective.test(point_DR)
        if self._train_loss_R is not None:
            rows["train_loss"] = self._train_loss_R
            rows["update_norm"] = norm(point_DR - self._before_DR)
        if len(self._minima_MD1):
            away_DMR = (self._place(point_DR) - self._minima_MD1).movedim(1, 0)
            rows["distance_to_minimum"] = torch.sqrt((away_DMR * away_DMR).sum(0).amin(0))
        if self._has_position:
            rows |= zip(("x", "y"), point_DR, strict=False)
        return rows | self._on_request(point_DR, known)

    def _on_request(self, point_DR: Tensor, known: Evaluation) -> dict[str, Tensor]:
        """The fields of measures.py that the plan asks for."""
        rows: dict[str, Tensor] = {}
        place_DR = self._place(point_DR)
        if "sharpness" in self._extra:
            rows["sharpness"] = self._objective.sharpness(place_DR)
        if "noise_scale" in self._extra or "gradient_variance" in self._extra:
            trace_R = self._objective.noise_trace(place_DR, known.gradient_DR)
            rows["noise_scale"] = trace_R / squared_norm(known.gradient_DR)
            rows["gradient_variance"] = trace_R * self._variance_share
        if self._before_last is not None:
            before_DR, before = self._before_last
            rows["alpha"] = landed(point_DR - before_DR, before, known)
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
        return self._objective.decision(self._point()) if isinstance(self._objective, Deciding) else None

    def in_force(self, epoch: int) -> list[tuple[Part, Tensor, Tensor | None]]:
        """Learning rate and momentum [R of the part] in float64 at an epoch's last update; at epoch 0, the first."""
        update = max(0, epoch * self._updates_per_epoch - 1)
        return [(part, *part.settings.recorded(update)) for part in self.parts]


def beside(matrices: list[Tensor]) -> Tensor:
    """Several matrices as one, which stands in memory as they do: parameter by parameter, or run by run."""
    if matrices[0].stride(0) == 1 and matrices[0].shape[1] > 1:
        return torch.cat([matrix.T for matrix in matrices]).T
    return torch.cat(matrices, 1)

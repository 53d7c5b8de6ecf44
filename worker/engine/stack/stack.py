"""Trains one block of columns through an epoch, and measures its fields afterwards.

A block is as wide as fits the processor's cache: it makes all updates of an epoch before the next block does. Blocks
are independent, so their width changes the time only.
"""

import copy
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from worker.engine.numerics.columns import nearest, norm
from worker.engine.numerics.normals import Normals
from worker.engine.numerics.random import UPDATES
from worker.engine.protocols import Evaluation, Poll, Problem, never_pause
from worker.engine.stack.groups import Group
from worker.engine.stack.hyper_parameters import HyperParameterTable
from worker.engine.stack.layout import Block, Layout
from worker.engine.stack.measures import Measured, on_request
from worker.engine.stack.objectives import NearestObjective, PlaneObjective, PollingObjective, on_other_examples
from worker.engine.stack.part import Part, is_by_run, join_columns

Evaluated = tuple[Tensor, Evaluation]  # A point, and what the objective is there.


class Stack:
    """The columns of one block: weights [D, R], state of the optimizers, and objective."""

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
        poll: Poll = never_pause,
    ) -> None:
        self.block = block
        self.extra = measure
        self._variance_share = problem.variance_share(accumulate)
        self._objective = problem.objective(layout.source[block.start : block.stop], dtype, device)
        if isinstance(self._objective, PollingObjective):
            self._objective.poll = poll
        self.problem, self.whole, self._has_position = problem, problem.whole, problem.has_position
        self._minima_MD1 = torch.from_numpy(problem.minima_MD[:, :, None]).to(device=device, dtype=dtype)
        self._num_batches = problem.num_batches(accumulate)
        self.accumulate = accumulate
        self.updates_per_epoch = -(-self._num_batches // accumulate)
        self.weights_DR = self.start_DR = self._before_DR = self._objective.start_DR
        self._by_run = is_by_run(self.weights_DR)
        self._shift = problem.shift
        if self._shift is not None:
            self._shift_D1 = torch.from_numpy(self._shift.by_D[:, None]).to(device=device, dtype=dtype)
        self._steps = 0  # Micro-batches so far, over all epochs.
        self._updates = 0
        # Sums over the micro-batches of the epoch, and over those of the current update.
        self._loss_KR: Tensor | None = None
        self._gradient_DR: Tensor | None = None
        self._train_loss_R: Tensor | None = None
        # The evaluation at the weights, and at the result of the optimizers where that is another point.
        self.known: Evaluation | None = None
        self._result: Evaluated | None = None
        # The result before the epoch's last update.
        self._before_last: Evaluated | None = None
        self.parts = [self._part(problem, groups[part[0]], layout, part) for part in block.parts]
        self._has_evaluation_point = any(part.optimizer.evaluation_point is not None for part in self.parts)
        for part, weights_DR in zip(self.parts, self._by_part(self.weights_DR), strict=True):
            part.begin(weights_DR)

    def jump(self, epoch: int, weights_DR: Tensor, known: Evaluation | None) -> None:
        """Continues after an epoch that was trained elsewhere; the states of the parts are set by the caller."""
        self.weights_DR, self.known = weights_DR, known
        self._result = self._before_last = self._gradient_DR = None
        self._steps, self._updates = epoch * self._num_batches, epoch * self.updates_per_epoch

    def stand_in(self, weights_DR: Tensor, start_DR: Tensor, known: Evaluation | None, part: Part) -> "Stack":
        """A stack of one part before its first epoch, with the same objective, at other weights."""
        other = copy.copy(self)
        other.weights_DR = other._before_DR = weights_DR
        other.start_DR, other.known, other.parts = start_DR, known, [part]
        other._result = other._before_last = other._loss_KR = other._gradient_DR = other._train_loss_R = None
        other._steps = other._updates = 0
        return other

    def _part(self, problem: Problem, group: Group, layout: Layout, columns: tuple[int, int, int]) -> Part:
        dtype, device = self.weights_DR.dtype, self.weights_DR.device
        index, start, stop = columns
        members = layout.members(index, start, stop)
        table = HyperParameterTable(group, members, dtype, device, self.updates_per_epoch)
        seeds_R = problem.seeds[layout.source[start:stop]]
        normals = Normals(1.0, seeds_R, UPDATES, problem.num_parameters, dtype, device)
        return Part(index, start, stop, group.optimizer, problem.shapes, group.terms, table, normals)

    def _by_part(self, matrix_DR: Tensor) -> tuple[Tensor, ...]:
        return matrix_DR.split_with_sizes([part.stop - part.start for part in self.parts], 1)

    def train(self, epoch: int) -> Iterator[None]:
        """Epoch number `epoch`, from 1, or the rest of it: one pass over the data. Yields after each micro-batch.

        Between two yields, and at the end, `progress` gives what `resume` needs to continue.
        """
        num_batches, accumulate = self._num_batches, self.accumulate
        done = self._steps - (epoch - 1) * num_batches
        if done == 0:
            self._before_DR = self._point()
            self._loss_KR = self._before_last = None
        self._updates = (epoch - 1) * self.updates_per_epoch + done // accumulate
        while done < num_batches:
            if "alpha" in self.extra and done % accumulate == 0 and done + accumulate >= num_batches:
                self._before_last = self.evaluation()
            coordinates_DR = self._coordinates(self.weights_DR)
            loss_KR, gradient_DR = self._objective.batch(coordinates_DR, self._steps, self.known)
            self._loss_KR = loss_KR if self._loss_KR is None else self._loss_KR + loss_KR
            if self._gradient_DR is not None:
                gradient_DR = self._gradient_DR + gradient_DR
            self._steps += 1
            done += 1
            num = (done - 1) % accumulate + 1
            if num == accumulate or done == num_batches:
                self._gradient_DR = None
                self._update(gradient_DR / num if num > 1 else gradient_DR)
            else:
                self._gradient_DR = gradient_DR
            yield
        assert self._loss_KR is not None
        self._train_loss_R = self._loss_KR.sum(0) / (len(self._loss_KR) * num_batches)

    def is_inside(self, epoch: int) -> bool:
        """Whether part of an epoch is done, or all of it."""
        return self._steps > (epoch - 1) * self._num_batches >= 0

    def progress(self) -> dict[str, Tensor]:
        """Intermediate results of an unfinished epoch besides weights and state: numbers, and matrices [·, R]."""
        matrices = {"before": self._before_DR, "loss": self._loss_KR, "gradient": self._gradient_DR}
        if self._before_last is not None:
            point_DR, known = self._before_last
            matrices |= {"last_point": point_DR, "last_loss": known.loss_R, "last_gradient": known.gradient_DR}
        found = {name: matrix for name, matrix in matrices.items() if matrix is not None}
        return found | {"steps": torch.tensor(self._steps)}

    def resume(self, epoch: int, progress: Mapping[str, Tensor]) -> None:
        """Continues after an epoch, or inside the next one from its `progress`; weights and state are set already."""
        if not progress:
            self._steps = max(0, epoch) * self._num_batches
            return
        # Matrices keep the memory order of the weights: the order of sums depends on it.
        like_weights = {
            name: torch.empty_like(self.weights_DR).copy_(progress[name])
            for name in ("before", "gradient", "last_point", "last_gradient")
            if name in progress
        }
        self._steps = int(progress["steps"])
        self._before_DR = like_weights["before"]
        self._gradient_DR = like_weights.get("gradient")
        self._loss_KR = progress.get("loss")
        if "last_point" in like_weights:
            known = Evaluation(progress["last_loss"], like_weights["last_gradient"])
            self._before_last = like_weights["last_point"], known

    def _update(self, gradient_DR: Tensor) -> None:
        update = self._updates
        self.known = self._result = None
        self._updates = update + 1
        if len(self.parts) == 1:
            self.weights_DR = self.parts[0].update(self.weights_DR, gradient_DR, update)
            return
        columns = zip(self.parts, self._by_part(self.weights_DR), self._by_part(gradient_DR), strict=True)
        new = [part.update(weights, gradient, update) for part, weights, gradient in columns]
        self.weights_DR = join_columns(new, by_run=self._by_run)

    def _coordinates(self, point_DR: Tensor) -> Tensor:
        """Coordinates of a point on the landscape, which may have moved: the point then moves the other way."""
        if self._shift is None or self._updates < self._shift.at:
            return point_DR
        return point_DR - self._shift_D1

    def _point(self) -> Tensor:
        """The point that a history records: the result of the optimizers at present."""
        if not self._has_evaluation_point:
            return self.weights_DR
        columns = zip(self.parts, self._by_part(self.weights_DR), strict=True)
        points = [part.evaluation_point(weights) for part, weights in columns]
        return join_columns(points, by_run=self._by_run)

    def loss(self) -> Tensor:
        """The recorded loss [R], computed as cheaply as possible."""
        if self._has_evaluation_point:
            return self._result[1].loss_R if self._result else self._objective.loss(self._coordinates(self._point()))
        if self.whole or self.known:
            # With the full batch, the next update uses the gradient of this evaluation.
            return self.evaluation()[1].loss_R
        return self._objective.loss(self._coordinates(self.weights_DR))

    def evaluation(self) -> Evaluated:
        """The recorded point, and the evaluation there."""
        if self._has_evaluation_point:
            if self._result is None:
                point_DR = self._point()
                self._result = point_DR, self._objective.evaluate(self._coordinates(point_DR))
            return self._result
        if self.known is None:
            self.known = self._objective.evaluate(self._coordinates(self.weights_DR))
        return self.weights_DR, self.known

    def measure(self) -> dict[str, Tensor]:
        """The fields at present, each [R], without those that do not exist here."""
        point_DR, known = self.evaluation()
        fields = {
            "loss": known.loss_R,
            "grad_norm": norm(known.gradient_DR),
            "distance_from_start": norm(point_DR - self.start_DR),
        }
        if known.score_R is not None:
            fields[f"{self.problem.score}"] = known.score_R
        fields |= on_other_examples(self.problem, self._objective, point_DR)
        if self._train_loss_R is not None:
            fields["train_loss"] = self._train_loss_R
            fields["update_norm"] = norm(point_DR - self._before_DR)
        if len(self._minima_MD1) and isinstance(self._objective, NearestObjective):
            fields["distance_to_minimum"] = self._objective.distance_to_minimum(point_DR)
        elif len(self._minima_MD1):
            fields["distance_to_minimum"] = nearest(self._coordinates(point_DR), self._minima_MD1)
        if self._has_position:
            fields |= zip(("x", "y"), point_DR, strict=False)
        after = Measured(point_DR, self._coordinates(point_DR), known)
        more = on_request(self.extra, self._objective, after, self._before_last, self.parts, self._variance_share)
        return fields | more

    def point(self) -> Tensor:
        """The weights that a history records [R, D]."""
        return self._point().T

    def decision(self) -> Tensor | None:
        """Decision values of the networks on a grid [R, y, x], on problems that have them."""
        return self._objective.decision(self._point()) if isinstance(self._objective, PlaneObjective) else None

    def in_force(self, epoch: int) -> list[tuple[Part, Tensor, Tensor | None]]:
        """Learning rate and momentum [R of the part] in float64 at an epoch's last update; at epoch 0, the first."""
        update = max(0, epoch * self.updates_per_epoch - 1)
        return [(part, *part.hyper_parameters.recorded(update)) for part in self.parts]

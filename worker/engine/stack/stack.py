"""How does one block of columns train through an epoch, and what can be measured of it afterwards?

A block is as wide as the processor's cache is large: it goes through all updates of an epoch before the next block
has its turn. Blocks are independent, so where they are cut changes nothing but the time.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm, squared_norm
from worker.engine.optimizers import OPTIMIZERS
from worker.engine.protocols import Deciding, Evaluation, Lengthy, Look, Problem, Tested, never
from worker.engine.stack.groups import Group
from worker.engine.stack.hyper_parameters import SettingsTable
from worker.engine.stack.layout import Block, Layout
from worker.engine.stack.measures import VELOCITY, landed
from worker.engine.stack.part import Part, beside

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
        look: Look = never,
    ) -> None:
        self.block = block
        self._extra = measure
        self._variance_share = problem.variance_share(accumulate)
        self._objective = problem.objective(layout.source[block.start : block.stop], dtype, device)
        if isinstance(self._objective, Lengthy):
            self._objective.look = look
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
        self._steps = 0  # Micro-batches so far, over all epochs.
        self._updates = 0
        # Sums over the micro-batches of the epoch, and over those of the update under way.
        self._loss_KR: Tensor | None = None
        self._gradient_DR: Tensor | None = None
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

    def train(self, epoch: int) -> Iterator[None]:
        """One pass over the data, or what is left of it: epoch number `epoch`, from 1. Yields after each micro-batch.

        Between two yields, and when all is done, `under_way` gives what `resume` needs to go on.
        """
        num_batches, accumulate = self._num_batches, self._accumulate
        done = self._steps - (epoch - 1) * num_batches
        if done == 0:
            self._before_DR = self._point()
            self._loss_KR = self._before_last = None
        self._updates = (epoch - 1) * self._updates_per_epoch + done // accumulate
        while done < num_batches:
            if "alpha" in self._extra and done % accumulate == 0 and done + accumulate >= num_batches:
                self._before_last = self._evaluation()
            place_DR = self._place(self.weights_DR)
            loss_KR, gradient_DR = self._objective.batch(place_DR, self._steps, self._known)
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
        """Whether some of an epoch is done, or all of it."""
        return self._steps > (epoch - 1) * self._num_batches >= 0

    def under_way(self) -> dict[str, Tensor]:
        """What an epoch that is not over has come to, besides weights and state: numbers, and matrices [·, R]."""
        matrices = {"before": self._before_DR, "loss": self._loss_KR, "gradient": self._gradient_DR}
        if self._before_last is not None:
            point_DR, known = self._before_last
            matrices |= {"last_point": point_DR, "last_loss": known.loss_R, "last_gradient": known.gradient_DR}
        found = {name: matrix for name, matrix in matrices.items() if matrix is not None}
        return found | {"steps": torch.tensor(self._steps)}

    def resume(self, epoch: int, under_way: Mapping[str, Tensor]) -> None:
        """Goes on after an epoch, or inside the next one with what `under_way` gave; weights and state are there."""
        if not under_way:
            self._steps = max(0, epoch) * self._num_batches
            return
        # Matrices stand in memory as the weights do: the order in which a sum is taken depends on it.
        like_weights = {
            name: torch.empty_like(self.weights_DR).copy_(under_way[name])
            for name in ("before", "gradient", "last_point", "last_gradient")
            if name in under_way
        }
        self._steps = int(under_way["steps"])
        self._before_DR = like_weights["before"]
        self._gradient_DR = like_weights.get("gradient")
        self._loss_KR = under_way.get("loss")
        if "last_point" in like_weights:
            known = Evaluation(under_way["last_loss"], like_weights["last_gradient"])
            self._before_last = like_weights["last_point"], known

    def _update(self, gradient_DR: Tensor) -> None:
        update = self._updates
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

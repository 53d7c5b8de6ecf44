"""Trains epochs ahead of those that the trainer yields, and gives the fields of each.

A call takes a few milliseconds, so that leases, cancellation and checkpoints keep their turn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.engine.fused.buffer import Buffer
from worker.engine.fused.chunk import Key, Point, epochs_served, key_of, trained
from worker.engine.fused.kernel import Kernel, Target
from worker.engine.protocols import Poll, never_pause
from worker.engine.stack.layout import Layout
from worker.engine.stack.stack import Stack

# Most recorded numbers of a call (16 MB), operations on columns, and epochs. With these it takes at most about 5 ms.
MOST_NUMBERS, MOST_OPERATIONS, MOST_EPOCHS = 2**21, 2**25, 2**9


@dataclass(frozen=True)
class Frame:
    """What all calls for a plan have in common. `records` and `losses` hold what a call stores."""

    fields: tuple[str, ...]
    layout: Layout
    epochs: int
    record_every: int
    records: Buffer = field(default_factory=Buffer)
    losses: Buffer = field(default_factory=Buffer)

    @property
    def columns(self) -> int:
        """Columns of all stacks."""
        return len(self.layout.source)


class Ahead:
    """Epochs first + 1 to last, trained from the points of the stacks after epoch `first`."""

    def __init__(
        self,
        frame: Frame,
        stacks: Sequence[Stack],
        kernels: Mapping[Key, Kernel],
        first: int,
        diverging: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
        poll: Poll,
    ) -> None:
        self._frame, self._stacks, self._kernels, self.first = frame, stacks, kernels, first
        self.last = first + min(
            frame.epochs - first, epochs_served(stacks, first), _most_epochs(stacks, kernels, len(frame.fields))
        )
        self._numbers_K = np.arange(first + 1, self.last + 1)
        self._due_K = (self._numbers_K % frame.record_every == 0) | (self._numbers_K == frame.epochs)
        self._begin = [Point.of(stack, first) for stack in stacks]
        self._end, self._loss_KC, self._values_SFC = self._train(self._due_K, poll)
        self._slot_K = np.where(self._due_K, np.cumsum(self._due_K) - 1, -1)
        # The last rows of runs that diverge between two recorded epochs.
        self._diverges_K = diverging(self._of_runs(self._loss_KC))
        last_K = self._diverges_K & ~self._due_K
        if last_K.any():
            self._slot_K[last_K] = len(self._values_SFC) + np.arange(last_K.sum())
            self._values_SFC = np.concatenate([self._values_SFC, self._train(last_K)[2]])
        for point, stack in zip(self._end, stacks, strict=True):
            point.restore(stack)

    def _train(
        self, recorded_K: NDArray[np.bool_], poll: Poll = never_pause
    ) -> tuple[list[Point], NDArray[np.float64], NDArray[np.float64]]:
        """Train as many epochs, and give the points, losses [K, C] and the fields [S, F, C] of the chosen epochs.

        The stacks stay as they are, also where an exception of `poll` ends it before one of them.
        """
        frame = self._frame
        slots_K = np.where(recorded_K, np.cumsum(recorded_K) - 1, -1).astype(np.int32)
        fields = (int(recorded_K.sum()), len(frame.fields), frame.columns)
        values_SFC = frame.records.array(fields)
        loss_KC = frame.losses.array((0 if recorded_K.all() else len(recorded_K), frame.columns))
        rows = {name: at for at, name in enumerate(frame.fields)}
        target, points = Target(loss_KC, values_SFC, slots_K, rows, 0), []
        for stack, point in zip(self._stacks, self._begin, strict=True):
            poll()
            points.append(trained(stack, point, self._kernels, target, frame.layout))
        if recorded_K.all():
            loss_KC = values_SFC[:, rows["loss"]]
        else:
            loss_KC[recorded_K] = values_SFC[:, rows["loss"]]
        self._in_force(values_SFC, np.flatnonzero(recorded_K))
        return points, loss_KC, values_SFC

    def _in_force(self, values_SFC: NDArray[np.float64], chosen: NDArray[np.int64]) -> None:
        """Write learning rates and momenta."""
        rate, momentum = (
            self._frame.fields.index(name) if name in self._frame.fields else None for name in ("lr", "momentum")
        )
        if not len(chosen):
            return
        constant = all(part.hyper_parameters.constant for stack in self._stacks for part in stack.parts)
        for slot, at in [(slice(None), chosen[0])] if constant else enumerate(chosen):
            for stack in self._stacks:
                for part, rate_R, momentum_R in stack.in_force(int(self._numbers_K[at])):
                    start = self._frame.layout.place(part.group, part.start)
                    own = slice(start, start + part.stop - part.start)
                    values_SFC[slot, rate, own] = rate_R.numpy()
                    if momentum is not None:
                        values_SFC[slot, momentum, own] = np.nan if momentum_R is None else momentum_R.numpy()

    def losses(self, number: int) -> NDArray[np.float64]:
        """The losses [R] of an epoch."""
        return self._of_runs(self._loss_KC[number - self.first - 1])

    def diverges(self, number: int) -> bool:
        """Whether a run diverges in an epoch."""
        return bool(self._diverges_K[number - self.first - 1])

    def fields(self, number: int) -> NDArray[np.float64] | None:
        """The fields [F, R] of an epoch that is recorded, or in which a run diverges."""
        slot = self._slot_K[number - self.first - 1]
        return None if slot < 0 else self._of_runs(self._values_SFC[slot])

    def _of_runs(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        layout = self._frame.layout
        if layout.first_runs is not None:
            return values[..., : len(layout.columns)]
        return values.take(layout.columns, axis=-1)

    def rewind(self, epoch: int) -> list[Point]:
        """Put the stacks after an earlier epoch, and give the points that they leave."""
        if epoch < self.last:
            begin = self._begin
            if epoch > self.first:
                begin = self._train(np.zeros(epoch - self.first, dtype=bool))[0]
            for point, stack in zip(begin, self._stacks, strict=True):
                point.restore(stack)
        return self._end

    def restore(self) -> None:
        """Put the stacks after the last epoch again."""
        for point, stack in zip(self._end, self._stacks, strict=True):
            point.restore(stack)


def _most_epochs(stacks: Sequence[Stack], kernels: Mapping[Key, Kernel], num_fields: int) -> int:
    parts = [part for stack in stacks for part in stack.parts]
    columns = sum(part.stop - part.start for part in parts)
    operations = sum((part.stop - part.start) * kernels[key_of(part)].operations for part in parts)
    return max(1, min(MOST_NUMBERS // (columns * num_fields), MOST_OPERATIONS // operations, MOST_EPOCHS))

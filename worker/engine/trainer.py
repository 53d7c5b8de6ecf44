"""Trains all runs of a plan together and yields their fields epoch by epoch.

The trainer is a generator and depends on no database, queue or clock. Its caller stores the yielded epochs, takes
checkpoints between yields, and closes it to stop. A poll makes it yield inside an epoch too.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.fused.ahead import Ahead, Frame
from worker.engine.fused.requests import Engine, requested
from worker.engine.protocols import Poll, never_pause
from worker.engine.stack import checkpoints
from worker.engine.stack.checkpoints import Checkpoint
from worker.engine.stack.fields import fields_of, measured
from worker.engine.stack.layout import Layout
from worker.engine.stack.plan import DTYPES, Epoch, Plan
from worker.engine.stack.stack import Stack

# The bytes of one matrix of a block. Wider blocks take fewer calls per run, narrower ones stay in a core's second-level
# cache. Of 128 KB to 1 MB, this width trained 10,000 FlipNets fastest on a core with 1 MB.
BLOCK_BYTES = 640 * 1024
# A run has diverged when its loss is above this many times max(1, |loss at epoch 0|), or not finite.
DIVERGENCE_FACTOR = 1e9


class Trainer:
    """Trains a plan from the start, or from a checkpoint of a trainer of the same plan."""

    def __init__(
        self,
        plan: Plan,
        checkpoint: Mapping[str, NDArray[np.generic]] | None = None,
        poll: Poll = never_pause,
        engine: Engine = "auto",
    ) -> None:
        self.fields = fields_of(plan.problem, plan.groups, plan.measure)
        self.epoch = -1  # The last epoch that was yielded.
        self.num_compiled_epochs = 0
        self._ahead: Ahead | None = None
        self._plan, self._poll = plan, poll
        self._device = torch.device(plan.device)
        self._alive_R = np.ones(plan.problem.num_runs, dtype=bool)
        self._num_alive = plan.problem.num_runs
        self._none_R = np.zeros(plan.problem.num_runs, dtype=bool)
        self._none_R.flags.writeable = False
        self._highest_loss_R = np.full(plan.problem.num_runs, np.inf)
        self._measured = measured(self.fields, plan.groups, plan.problem.num_runs)
        self._layout = Layout.of([group.runs for group in plan.groups], plan.problem.columns_multiple)
        self._frame = Frame(self.fields, self._layout, plan.epochs, plan.record_every)
        self._columns = torch.from_numpy(self._layout.columns).to(self._device)
        dtype = DTYPES[plan.dtype]
        # Not in inference mode: tensors of an objective may take part in a second derivative.
        with torch.no_grad():
            self._stacks = [
                Stack(
                    *(plan.problem, plan.groups, self._layout, block, plan.accumulate),
                    *(dtype, self._device, plan.measure, poll),
                )
                for block in self._layout.blocks(BLOCK_BYTES // (plan.problem.num_parameters * dtype.itemsize))
            ]
            shape = len(self.fields), len(self._layout.source)
            self._values_FR = torch.full(shape, torch.nan, dtype=torch.float64, device=self._device)
            if checkpoint is not None:
                self._restore(checkpoint)
        self._programs = requested(plan, self._stacks, engine)

    @property
    def reason(self) -> str | None:
        """Why torch trains all epochs, as far as it is known."""
        return "the plan" if self._programs is None else self._programs.reason

    def run(self) -> Iterator[Epoch | None]:
        """One Epoch after another, the untrained start (epoch 0) first, until the last, or until every run diverged.

        Inside an epoch it yields None after any micro-batch at which `poll` returns True.
        """
        if self._ahead is not None:
            self._ahead.rewind(self.epoch)
            self._ahead = None
        while self.epoch < self._plan.epochs and self._num_alive:
            if self._train_ahead():
                yield from self._ends_ahead()
                continue
            stacks = [stack for stack in self._stacks if self._is_alive(stack)]
            steps = self._steps(stacks)
            # Inference mode is a state of the thread: it is off while the caller runs.
            while self._interrupted(steps):
                yield None
            with torch.inference_mode():
                epoch = self._end(stacks)
            yield epoch

    def _train_ahead(self) -> bool:
        """Train the next epochs by compiled programs, if there are any."""
        kernels = None if self._programs is None else self._programs.kernels
        if kernels is None or self.epoch < 0 or any(stack.is_inside(self.epoch + 1) for stack in self._stacks):
            return False
        stacks = [stack for stack in self._stacks if self._is_alive(stack)]
        with torch.inference_mode():
            self._ahead = Ahead(self._frame, stacks, kernels, self.epoch, self._diverging, self._poll)
        return True

    def _ends_ahead(self) -> Iterator[Epoch]:
        """The results of the epochs that were trained ahead."""
        ahead = self._ahead
        assert ahead is not None
        while self.epoch < ahead.last and self._num_alive:
            self.num_compiled_epochs += 1
            number = self.epoch + 1
            diverged_R = self._diverged(ahead.losses(number)) if ahead.diverges(number) else self._none_R
            yield self._ended(number, ahead.fields(number), diverged_R)
        if self.epoch == ahead.last:
            self._ahead = None

    def _diverging(self, loss_KR: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The epochs [K] in which a run diverges."""
        highest = loss_KR.max(axis=0)
        if (highest <= self._highest_loss_R).all() and highest.max() < np.inf and loss_KR.min() > -np.inf:
            return np.zeros(len(loss_KR), dtype=bool)
        above_KR = self._diverged(loss_KR)
        # The first such epoch of each run.
        first_R = above_KR.argmax(axis=0)[above_KR.any(axis=0)]
        found_K = np.zeros(len(loss_KR), dtype=bool)
        found_K[first_R] = True
        return found_K

    def _steps(self, stacks: list[Stack]) -> Iterator[None]:
        """Trains the next epoch, one micro-batch of one stack at a time; epoch 0 has none."""
        if self.epoch >= 0:
            for stack in stacks:
                yield from stack.train(self.epoch + 1)

    def _interrupted(self, steps: Iterator[None]) -> bool:
        """Trains until `poll` returns True or the epoch ends; whether the poll came first."""
        with torch.inference_mode():
            return any(self._poll() for _ in steps)

    def _end(self, stacks: list[Stack]) -> Epoch:
        """The result of the epoch that has been trained, or of the untrained start."""
        number = self.epoch + 1
        due = number % self._plan.record_every == 0 or number == self._plan.epochs
        values_FR = self._measure(stacks, number) if due else None
        loss_R = self._losses(stacks) if values_FR is None else values_FR[self.fields.index("loss")]
        if number == 0:
            self._highest_loss_R = _highest_loss(loss_R)
        diverged_R = self._diverged(loss_R)
        if values_FR is None and diverged_R.any():
            values_FR = self._measure(stacks, number)
        return self._ended(number, values_FR, diverged_R)

    def _diverged(self, loss_R: NDArray[np.float64]) -> NDArray[np.bool_]:
        """The runs that have diverged, [R] or [K, R]."""
        return np.asarray(self._alive_R & ~(np.isfinite(loss_R) & (loss_R <= self._highest_loss_R)))

    def _ended(self, number: int, values_FR: NDArray[np.float64] | None, diverged_R: NDArray[np.bool_]) -> Epoch:
        """The result of an epoch with these fields, which are None if it is not recorded and no run diverged."""
        due = number % self._plan.record_every == 0 or number == self._plan.epochs
        kept_R = None if values_FR is None else self._alive_R if due else diverged_R
        is_whole = due and self._num_alive == len(self._alive_R)
        if values_FR is not None and kept_R is not None and not is_whole:
            values_FR[:, ~kept_R] = np.nan
        # Operations on all runs take a tenth of the time of an epoch that was trained ahead.
        if diverged_R is not self._none_R:
            self._set_alive(self._alive_R & ~diverged_R)
        self.epoch = number
        return Epoch(number, diverged_R, kept_R, values_FR, self._measured[min(number, 1)])

    def _set_alive(self, alive_R: NDArray[np.bool_]) -> None:
        self._alive_R, self._num_alive = alive_R, int(np.count_nonzero(alive_R))

    def _is_alive(self, stack: Stack) -> bool:
        return bool(self._alive_R[self._layout.source[stack.block.start : stack.block.stop]].any())

    def _losses(self, stacks: list[Stack]) -> NDArray[np.float64]:
        row_R = self._values_FR[self.fields.index("loss")]
        for stack in stacks:
            row_R[stack.block.start : stack.block.stop] = stack.loss()
        return row_R[self._columns].cpu().numpy()

    def _measure(self, stacks: list[Stack], number: int) -> NDArray[np.float64]:
        """All fields [F, runs], in one matrix on the device and one copy from it."""
        position = {name: index for index, name in enumerate(self.fields)}
        for stack in stacks:
            for name, row_R in stack.measure().items():
                self._values_FR[position[name], stack.block.start : stack.block.stop] = row_R
            for part, rate_R, momentum_R in stack.in_force(number):
                self._values_FR[position["lr"], part.start : part.stop] = rate_R
                if momentum_R is not None:
                    self._values_FR[position["momentum"], part.start : part.stop] = momentum_R
        return self._values_FR.index_select(1, self._columns).cpu().numpy()

    def decisions(self) -> NDArray[np.float32] | None:
        """Decision values on a grid [runs, y, x] after the last yielded epoch; None on problems without them."""
        with torch.inference_mode(), self._at_epoch():
            parts = [stack.decision() for stack in self._stacks]
            decided = [part for part in parts if part is not None]
            return torch.cat(decided)[self._columns].float().cpu().numpy() if decided else None

    def weights(self) -> NDArray[np.float32]:
        """The weights [runs, D] that the last yielded epoch recorded."""
        with torch.inference_mode(), self._at_epoch():
            return torch.cat([stack.point() for stack in self._stacks])[self._columns].float().cpu().numpy()

    def checkpoint(self) -> Checkpoint:
        """Everything that a trainer of the same plan needs to continue with the same bits.

        It may be taken after each yield, and after an exception of `poll`: an interrupted evaluation has no side
        effects.
        """
        with torch.inference_mode(), self._at_epoch():
            own = {
                "epoch": np.array(self.epoch),
                "alive": self._alive_R.copy(),
                "highest_loss": self._highest_loss_R.copy(),
            }
            return own | checkpoints.saved(self._stacks, self._layout, self.epoch)

    @contextmanager
    def _at_epoch(self) -> Iterator[None]:
        """The stacks after the last yielded epoch, also if later ones have been trained."""
        if self._ahead is None:
            yield
            return
        self._ahead.rewind(self.epoch)
        try:
            yield
        finally:
            self._ahead.restore()

    def _restore(self, checkpoint: Mapping[str, NDArray[np.generic]]) -> None:
        self.epoch = int(checkpoint["epoch"])
        self._set_alive(np.array(checkpoint["alive"], dtype=bool))
        self._highest_loss_R = np.array(checkpoint["highest_loss"], dtype=np.float64)
        checkpoints.restore(self._stacks, self._layout, checkpoint, self.epoch)


def _highest_loss(initial_loss_R: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss above which a run has diverged. It may be infinite: a loss must be finite in any case."""
    with np.errstate(over="ignore"):
        return DIVERGENCE_FACTOR * np.fmax(1.0, np.abs(initial_loss_R))

"""Trains all runs of a plan together and yields their fields epoch by epoch.

The trainer is a generator and depends on no database, queue or clock. Its caller stores the yielded epochs, takes
checkpoints between yields, and closes it to stop. A poll makes it yield inside an epoch too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from worker.engine.device import used_device
from worker.engine.protocols import Poll, Problem, never_pause
from worker.engine.stack.fields import fields_of, measured
from worker.engine.stack.groups import Group
from worker.engine.stack.layout import Layout
from worker.engine.stack.measures import checked
from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

Checkpoint = dict[str, NDArray[np.generic]]

# The bytes of one matrix of a block. Wider blocks take fewer calls per run, narrower ones stay in a core's second-level
# cache. Of 128 KB to 1 MB, this width trained 10,000 FlipNets fastest on a core with 1 MB.
BLOCK_BYTES = 640 * 1024
# A run has diverged when its loss is above this many times max(1, |loss at epoch 0|), or not finite.
DIVERGENCE_FACTOR = 1e9
# Prefix of the arrays that only a checkpoint inside an epoch has.
_INSIDE = "inside/"
DTYPES = {"float32": torch.float32, "float64": torch.float64}


@dataclass(frozen=True, eq=False)
class Plan:
    """A problem, the groups of its runs, and the number of epochs.

    `record_every` n keeps epochs 0, n, 2n, … and the last. `accumulate` k averages the gradients of k micro-batches for
    each update; the last update of an epoch averages the rest. `measure` names fields of stack/measures.py.
    """

    problem: Problem
    groups: tuple[Group, ...]
    epochs: int
    record_every: int = 1
    accumulate: int = 1
    dtype: str = "float64"
    device: str | torch.device = field(default_factory=used_device)
    measure: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if sum(len(group.runs) for group in self.groups) != self.problem.num_runs:
            raise ValueError(f"groups must contain each of the problem's {self.problem.num_runs} runs once.")
        if not any(len(shape) == 2 for shape in self.problem.shapes):
            for kind in (group.kind for group in self.groups if group.optimizer.needs_matrices):
                raise ValueError(f"{kind} needs a problem with matrices of weights.")
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype must be one of {list(DTYPES)}, not {self.dtype!r}.")
        object.__setattr__(self, "measure", checked(self.measure))
        if self.epochs < 0 or self.record_every < 1 or self.accumulate < 1:
            raise ValueError("epochs must be at least 0, record_every and accumulate at least 1.")


@dataclass(frozen=True, slots=True)
class Epoch:
    """Results at the end of an epoch, in the order of the runs. Columns of runs that are not kept are NaN."""

    number: int
    diverged_R: NDArray[np.bool_]
    kept_R: NDArray[np.bool_] | None
    values_FR: NDArray[np.float64] | None
    measured_FR: NDArray[np.bool_]


class Trainer:
    """Trains a plan from the start, or from a checkpoint of a trainer of the same plan."""

    def __init__(
        self, plan: Plan, checkpoint: Mapping[str, NDArray[np.generic]] | None = None, poll: Poll = never_pause
    ) -> None:
        self.fields = fields_of(plan.problem, plan.groups, plan.measure)
        self.epoch = -1  # The last epoch that was yielded.
        self._plan, self._poll = plan, poll
        self._device = torch.device(plan.device)
        self._alive_R = np.ones(plan.problem.num_runs, dtype=bool)
        self._highest_loss_R = np.full(plan.problem.num_runs, np.inf)
        self._measured = measured(self.fields, plan.groups, plan.problem.num_runs)
        self._layout = Layout.of([group.runs for group in plan.groups], plan.problem.columns_multiple)
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

    def run(self) -> Iterator[Epoch | None]:
        """One Epoch after another, the untrained start (epoch 0) first, until the last, or until every run diverged.

        Inside an epoch it yields None after any micro-batch at which `poll` returns True.
        """
        while self.epoch < self._plan.epochs and self._alive_R.any():
            stacks = [stack for stack in self._stacks if self._is_alive(stack)]
            steps = self._steps(stacks)
            # Inference mode is a state of the thread: it is off while the caller runs.
            while self._interrupted(steps):
                yield None
            with torch.inference_mode():
                epoch = self._end(stacks)
            yield epoch

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
        diverged_R = self._alive_R & ~(np.isfinite(loss_R) & (loss_R <= self._highest_loss_R))
        kept_R = None
        if due:
            kept_R = self._alive_R
        elif diverged_R.any():
            kept_R, values_FR = diverged_R, self._measure(stacks, number)
        if values_FR is not None and kept_R is not None and not kept_R.all():
            values_FR[:, ~kept_R] = np.nan
        self._alive_R = self._alive_R & ~diverged_R
        self.epoch = number
        return Epoch(number, diverged_R, kept_R, values_FR, self._measured[min(number, 1)])

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
        with torch.inference_mode():
            parts = [stack.decision() for stack in self._stacks]
            decided = [part for part in parts if part is not None]
            return torch.cat(decided)[self._columns].float().cpu().numpy() if decided else None

    def checkpoint(self) -> Checkpoint:
        """Everything that a trainer of the same plan needs to continue with the same bits.

        It may be taken after each yield, and after an exception of `poll`: an interrupted evaluation has no side
        effects.
        """
        with torch.inference_mode():
            weights_DR = torch.cat([stack.weights_DR for stack in self._stacks], 1)
            arrays: Checkpoint = {
                "epoch": np.array(self.epoch),
                "alive": self._alive_R.copy(),
                "highest_loss": self._highest_loss_R.copy(),
                "weights": weights_DR[:, self._columns].cpu().numpy(),
            }
            for index, size in enumerate(self._layout.group_sizes):
                parts = [part for stack in self._stacks for part in stack.parts if part.group == index]
                for name in parts[0].state:
                    state_DR = torch.cat([part.state[name] for part in parts], 1)
                    arrays[f"state/{index}/{name}"] = state_DR[:, :size].cpu().numpy().copy()
                arrays |= {_objects(part): part.stepper.save().numpy() for part in parts if part.stepper}
            if any(stack.is_inside(self.epoch + 1) for stack in self._stacks):
                for stack in self._stacks:
                    for name, matrix in stack.progress().items():
                        arrays[_inside(stack, name)] = matrix.cpu().numpy().copy()
        return arrays

    def _restore(self, checkpoint: Mapping[str, NDArray[np.generic]]) -> None:
        self.epoch = int(checkpoint["epoch"])
        self._alive_R = np.array(checkpoint["alive"], dtype=bool)
        self._highest_loss_R = np.array(checkpoint["highest_loss"], dtype=np.float64)
        for stack in self._stacks:
            runs = self._layout.source[stack.block.start : stack.block.stop]
            stack.weights_DR = self._on_device(checkpoint["weights"], runs, stack.weights_DR)
            for part in stack.parts:
                members = self._layout.members(part.group, part.start, part.stop)
                part.state = {
                    name: self._on_device(checkpoint[f"state/{part.group}/{name}"], members, matrix)
                    for name, matrix in part.state.items()
                }
                if part.stepper:
                    part.stepper.load(torch.from_numpy(np.array(checkpoint[_objects(part)])))
            progress = {
                name.rpartition("/")[2]: torch.from_numpy(np.array(array)).to(self._device)
                for name, array in checkpoint.items()
                if name.startswith(_inside(stack, ""))
            }
            if not progress and any(name.startswith(_INSIDE) for name in checkpoint):
                raise ValueError("The checkpoint was taken inside an epoch by a trainer with other blocks.")
            stack.resume(self.epoch, progress)

    @staticmethod
    def _on_device(matrix: NDArray[np.generic], columns: NDArray[np.int64], like: torch.Tensor) -> torch.Tensor:
        """Columns of a matrix on the host, in the memory order of `like`."""
        return torch.empty_like(like).copy_(torch.from_numpy(np.ascontiguousarray(matrix[:, columns])))


def _objects(part: Part) -> str:
    """Name in a checkpoint of the state of the objects that update a part."""
    return f"objects/{part.group}/{part.start}-{part.stop}"


def _inside(stack: Stack, name: str) -> str:
    """Name in a checkpoint of an array of a stack's unfinished epoch."""
    return f"{_INSIDE}{stack.block.start}-{stack.block.stop}/{name}"


def _highest_loss(initial_loss_R: NDArray[np.float64]) -> NDArray[np.float64]:
    """The loss above which a run has diverged. It may be infinite: a loss must be finite in any case."""
    with np.errstate(over="ignore"):
        return DIVERGENCE_FACTOR * np.fmax(1.0, np.abs(initial_loss_R))

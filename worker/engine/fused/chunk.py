"""Several epochs of a stack by compiled programs, one for each of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from worker.engine.fused.epoch import GRADIENT, LOSS, WEIGHTS
from worker.engine.fused.kernel import Coefficients, Kernel, Target, values_of
from worker.engine.protocols import Evaluation, State
from worker.engine.stack.hyper_parameters import Kinds
from worker.engine.stack.layout import Layout
from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

# The group of a part, and the kinds of its coefficients: parts with equal keys have one program.
Key = tuple[int, Kinds]


def key_of(part: Part) -> Key:
    """The key of a part."""
    return part.group, part.hyper_parameters.kinds


@dataclass(frozen=True)
class Point:
    """All that training changes of a stack after an epoch. The tensors are never written to."""

    epoch: int
    weights_DR: Tensor
    known: Evaluation | None
    states: tuple[State, ...]

    @classmethod
    def of(cls, stack: Stack, epoch: int) -> "Point":
        """The present point of a stack."""
        known = stack.evaluation()[1] if stack.whole else None
        return cls(epoch, stack.weights_DR, known, tuple(part.state for part in stack.parts))

    def restore(self, stack: Stack) -> None:
        """Put a stack there."""
        for part, state in zip(stack.parts, self.states, strict=True):
            part.state = state
        stack.jump(self.epoch, self.weights_DR, self.known)


def trained(stack: Stack, point: Point, kernels: Mapping[Key, Kernel], target: Target, layout: Layout) -> Point:
    """The point after len(slots) epochs from another. `kernels` are those of the parts.

    Columns are stored at their places of `layout`.
    """
    pieces = []
    for part, state in zip(stack.parts, point.states, strict=True):
        own = slice(part.start - stack.block.start, part.stop - stack.block.start)
        evaluated = [] if point.known is None else [point.known.loss_R[own], point.known.gradient_DR[:, own]]
        values = values_of(point.weights_DR[:, own], evaluated, state)
        coefficients = coefficients_at(stack, part, point.epoch)
        pieces.append(
            kernels[key_of(part)].run(
                *(values, stack.start_DR[:, own], coefficients),
                replace(target, column=target.column + layout.place(part.group, part.start)),
            )
        )

    def joined(name: str) -> Tensor:
        parts = [piece[name] for piece in pieces]
        return parts[0] if len(parts) == 1 else torch.cat(parts, -1)

    known = None if point.known is None else Evaluation(joined(LOSS), joined(GRADIENT), None)
    states = tuple(
        {name: piece[f"state {name}"] for name in state} for piece, state in zip(pieces, point.states, strict=True)
    )
    return Point(point.epoch + len(target.slots_K), joined(WEIGHTS), known, states)


def coefficients_at(stack: Stack, part: Part, epoch: int) -> Coefficients:
    """The coefficients of the epochs after an epoch."""
    per_epoch = stack.updates_per_epoch
    window = part.hyper_parameters.window(epoch * per_epoch, per_epoch)
    return Coefficients(window.constant, window.varying, per_epoch)


def epochs_served(stacks: Sequence[Stack], epoch: int) -> int:
    """The number of epochs after an epoch for which all coefficients are in one table."""
    return min(
        part.hyper_parameters.window(epoch * stack.updates_per_epoch, stack.updates_per_epoch).updates
        // stack.updates_per_epoch
        for stack in stacks
        for part in stack.parts
    )

"""Weights, state and unfinished epochs of stacks as arrays, run by run, whatever the blocks."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.stack.layout import Layout
from worker.engine.stack.part import Part
from worker.engine.stack.stack import Stack

Checkpoint = dict[str, NDArray[np.generic]]
# Prefix of the arrays that only a checkpoint inside an epoch has.
_INSIDE = "inside/"


def saved(stacks: Sequence[Stack], layout: Layout, epoch: int) -> Checkpoint:
    """The arrays of all stacks after an epoch, or inside the next one."""
    weights_DR = torch.cat([stack.weights_DR for stack in stacks], 1)
    columns = torch.from_numpy(layout.columns).to(weights_DR.device)
    arrays: Checkpoint = {"weights": weights_DR[:, columns].cpu().numpy()}
    for index, size in enumerate(layout.group_sizes):
        parts = [part for stack in stacks for part in stack.parts if part.group == index]
        for name in parts[0].state:
            state_DR = torch.cat([part.state[name] for part in parts], 1)
            arrays[f"state/{index}/{name}"] = state_DR[:, :size].cpu().numpy().copy()
        arrays |= {_objects(part): part.stepper.save().numpy() for part in parts if part.stepper}
    if any(stack.is_inside(epoch + 1) for stack in stacks):
        for stack in stacks:
            for name, matrix in stack.progress().items():
                arrays[_inside(stack, name)] = matrix.cpu().numpy().copy()
    return arrays


def restore(stacks: Sequence[Stack], layout: Layout, checkpoint: Mapping[str, NDArray[np.generic]], epoch: int) -> None:
    """Put all stacks where they were saved.

    Raises:
        ValueError: The checkpoint was taken inside an epoch, of other blocks.
    """
    for stack in stacks:
        runs = layout.source[stack.block.start : stack.block.stop]
        stack.weights_DR = _on_device(checkpoint["weights"], runs, stack.weights_DR)
        for part in stack.parts:
            members = layout.members(part.group, part.start, part.stop)
            part.state = {
                name: _on_device(checkpoint[f"state/{part.group}/{name}"], members, matrix)
                for name, matrix in part.state.items()
            }
            if part.stepper:
                part.stepper.load(torch.from_numpy(np.array(checkpoint[_objects(part)])))
        progress = {
            name.rpartition("/")[2]: torch.from_numpy(np.array(array)).to(stack.weights_DR.device)
            for name, array in checkpoint.items()
            if name.startswith(_inside(stack, ""))
        }
        if not progress and any(name.startswith(_INSIDE) for name in checkpoint):
            raise ValueError("The checkpoint was taken inside an epoch by a trainer with other blocks.")
        stack.resume(epoch, progress)


def _on_device(matrix: NDArray[np.generic], columns: NDArray[np.int64], like: Tensor) -> Tensor:
    """Columns of a matrix on the host, in the memory order of `like`."""
    return torch.empty_like(like).copy_(torch.from_numpy(np.ascontiguousarray(matrix[:, columns])))


def _objects(part: Part) -> str:
    """Name in a checkpoint of the state of the objects that update a part."""
    return f"objects/{part.group}/{part.start}-{part.stop}"


def _inside(stack: Stack, name: str) -> str:
    """Name in a checkpoint of an array of a stack's unfinished epoch."""
    return f"{_INSIDE}{stack.block.start}-{stack.block.stop}/{name}"

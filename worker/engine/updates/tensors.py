"""The tensors of a column of parameters, and back."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.numerics.columns import norm
from worker.engine.protocols import Shapes


def tensors(values_DR: Tensor, shapes: Shapes) -> list[Tensor]:
    """Views [*shape, R], one for each tensor, runs last."""
    parts = values_DR.split_with_sizes([math.prod(shape) for shape in shapes])
    return [part.view(*shape, part.shape[-1]) for part, shape in zip(parts, shapes, strict=True)]


def columns(values: Sequence[Tensor]) -> Tensor:
    """The inverse of `tensors`: one matrix [D, R]."""
    return torch.cat([value.flatten(0, -2) for value in values])


def length(values: Tensor) -> Tensor:
    """The Euclidean norm [R] of a tensor [*shape, R], run by run."""
    return norm(values.flatten(0, -2))

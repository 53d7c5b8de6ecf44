"""Operations of update rules on tensors: a function of the tensor to write to, or None, and the operands.

Every element is computed alike, wherever it stands: torch computes powers and sigmoids of the last few elements of a
row, which do not fill the processor's registers, in another way. Where rows may end so, operands are padded.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from worker.engine.numerics.columns import COLUMNS_MULTIPLE, norm

Operation = Callable[..., Tensor]


def _exact(function: Callable[..., Tensor]) -> Operation:
    return lambda out, *operands: function(*operands, out=out)


def _in_full_registers(function: Callable[..., Tensor]) -> Operation:
    """A function of full registers only; values are copied where rows have another width or order in memory."""

    def apply(out: Tensor | None, *operands: Tensor) -> Tensor:
        shape = np.broadcast_shapes(*(tuple(operand.shape) for operand in operands))
        by_rows = all(operand.stride(-1) == 1 or operand.shape[-1] == 1 for operand in operands)
        if by_rows and shape[-1] % COLUMNS_MULTIPLE == 0:
            return function(*operands, out=out)
        num = math.prod(shape)
        padded = [operands[0].new_ones(-(-num // COLUMNS_MULTIPLE) * COLUMNS_MULTIPLE) for _ in operands]
        for target, operand in zip(padded, operands, strict=True):
            target[:num].view(shape).copy_(operand)
        values = function(*padded)[:num].view(shape)
        return values if out is None else out.copy_(values)

    return apply


def _where(out: Tensor | None, condition: Tensor, one: Tensor, other: Tensor) -> Tensor:
    # A condition of a table has been rounded to the weights' dtype.
    return torch.where(condition if condition.dtype == torch.bool else condition != 0, one, other, out=out)


def _compared(function: Callable[..., Tensor]) -> Operation:
    return lambda _, one, other: function(one, other)


# torch adds the rows of a matrix in one order for every column (numerics/columns.py).
def _norm(values_DR: Tensor) -> Tensor:
    return norm(values_DR)[None]


def _mean(values_DR: Tensor) -> Tensor:
    return values_DR.sum(0, keepdim=True) / len(values_DR)


def _dot(one_DR: Tensor, other_DR: Tensor) -> Tensor:
    return (one_DR * other_DR).sum(0, keepdim=True)


# Of matrices of one shape and one order in memory: a row.
OVER_RUN: dict[str, Callable[..., Tensor]] = {"norm": _norm, "mean": _mean, "dot": _dot}
# The same for the rows of each tensor.
OVER_TENSOR: dict[str, Callable[..., Tensor]] = {"tensor_norm": _norm, "tensor_mean": _mean}

# They have no tensor to write to: their values are conditions.
COMPARISONS: dict[str, Operation] = {
    "<": _compared(torch.lt),
    "<=": _compared(torch.le),
    "==": _compared(torch.eq),
    "!=": _compared(torch.ne),
}
OPERATIONS: dict[str, Operation] = {
    **COMPARISONS,
    "negative": _exact(torch.neg),
    "+": _exact(torch.add),
    "-": _exact(torch.sub),
    "*": _exact(torch.mul),
    "/": _exact(torch.div),
    "pow": _in_full_registers(torch.pow),
    "where": _where,
    "min": _exact(torch.minimum),
    "max": _exact(torch.maximum),
    "abs": _exact(torch.abs),
    "sign": _exact(torch.sign),
    "sqrt": _exact(torch.sqrt),
    **{
        name: _in_full_registers(getattr(torch, name))
        for name in ("sin", "cos", "tan", "exp", "log", "log10", "tanh", "sigmoid")
    },
}
# Two operations in one pass over memory.
FUSED: dict[str, Operation] = {
    "a+b*c": lambda out, a, b, c: torch.addcmul(a, b, c, out=out),
    "a-b*c": lambda out, a, b, c: torch.addcmul(a, b, c, value=-1, out=out),
    "a+b/c": lambda out, a, b, c: torch.addcdiv(a, b, c, out=out),
    "a-b/c": lambda out, a, b, c: torch.addcdiv(a, b, c, value=-1, out=out),
    # The running mean (1 − c)·a + c·b.
    "a+c*(b-a)": lambda out, a, b, c: torch.lerp(a, b, c, out=out),
}


def tensor_rows(reduce: Callable[..., Tensor], values_DR: Tensor, sizes: Sequence[int]) -> Tensor:
    """A reduction of the rows of each tensor: a row for each."""
    return torch.cat([reduce(part) for part in values_DR.split_with_sizes(list(sizes))])

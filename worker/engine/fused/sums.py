"""Sums over rows in the order of torch.

torch adds the rows of a matrix, column by column, to a start of +0. From 16 rows on it adds sums of 16 rows to a second
sum, sums of 16 of these to a third, and so on; the sums of all levels are added at the end.
"""

from collections.abc import Sequence

import torch

from worker.engine.fused.graph import Graph, Unsupported

_STEP = 16
_LEVELS = 4
# Up to this many rows every part of a matrix is added in one order; more are where columns fill four registers.
_ALWAYS_IN_ORDER = 4


def summed(g: Graph, row: Sequence[int]) -> int:
    """The sum of nodes.

    Raises:
        Unsupported: torch adds the last columns in another order.
    """
    if len(row) > _ALWAYS_IN_ORDER and any(width % (4 * _lanes(g.dtype)) for width in g.widths):
        raise Unsupported("a sum whose last columns fill no registers")
    if len(row) >= _STEP**2:
        raise Unsupported("a long sum")
    zero = g.constant(0)
    levels = [zero] * 2
    at = 0
    while at + _STEP <= len(row):
        for one in row[at : at + _STEP]:
            levels[0] = g.node("+", levels[0], one)
        levels = [zero, g.node("+", levels[1], levels[0])]
        at += _STEP
    for one in row[at:]:
        levels[0] = g.node("+", levels[0], one)
    return levels[0] if len(row) < _STEP else g.node("+", levels[0], levels[1])


def _lanes(dtype: str) -> int:
    """Numbers in a register of torch's vectors."""
    size = 64 if torch.backends.cpu.get_cpu_capability() == "AVX512" else 32
    return size // (4 if dtype == "float32" else 8)

"""How are rows added up so that a column's sum does not depend on how many columns there are?

torch.sum over the rows of a matrix groups the additions by how wide the matrix is. Folding the rows in half until one is
left is a fixed order, uses elementwise additions only, and loses fewer digits than adding one after another.
"""

import torch
from torch import Tensor


def sum_rows(values: Tensor) -> Tensor:
    """The sum over the first axis, in a fixed order. It uses `values` as scratch space."""
    num = len(values)
    while num > 1:
        half = num // 2
        values[:half].add_(values[num - half : num])
        num -= half
    return values[0]


def norm(values_DR: Tensor) -> Tensor:
    """The Euclidean norm of each column."""
    return torch.sqrt(sum_rows(values_DR * values_DR))

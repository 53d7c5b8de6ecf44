"""How are rows added up so that a column's sum does not depend on how many columns there are?

torch.sum groups the additions of many rows by how wide the matrix is, but it adds up to four rows one after another,
always. So rows are added by fours until one is left: a fixed order, few calls, and fewer digits lost than in one long
sum.
"""

import torch
from torch import Tensor


def sum_rows(values: Tensor) -> Tensor:
    """The sum over the first axis, in a fixed order."""
    if len(values) == 1:
        return values[0]
    while len(values) > 4:
        num = len(values) // 4 * 4
        fours = values[:num].reshape(num // 4, 4, *values.shape[1:]).sum(1)
        values = fours if num == len(values) else torch.cat([fours, values[num:]])
    return values.sum(0)


def squared_norm(values_DR: Tensor) -> Tensor:
    """The sum of squares of each column."""
    return sum_rows(values_DR * values_DR)


def norm(values_DR: Tensor) -> Tensor:
    """The Euclidean norm of each column."""
    return torch.sqrt(squared_norm(values_DR))

"""How is a column summed up, so that its neighbours do not matter?

torch adds the rows of a matrix in one order for every column as long as rows are padded to full registers, which the
layout sees to.
"""

import torch
from torch import Tensor


def squared_norm(values_DR: Tensor) -> Tensor:
    """The sum of squares [R] of each column."""
    return (values_DR * values_DR).sum(0)


def norm(values_DR: Tensor) -> Tensor:
    """The Euclidean norm [R] of each column."""
    return torch.sqrt(squared_norm(values_DR))

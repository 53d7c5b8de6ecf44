"""Column-wise sums that do not depend on the neighbouring columns.

torch adds the rows of a matrix in the same order for every column as long as rows are padded to full registers.
`stack/layout.py` pads them.
"""

import torch
from torch import Tensor

# torch's elementwise loops take two registers at a time, and an AVX-512 register holds 16 numbers in float32. Multiples
# of 16 are enough in float64 but not in float32, where x ** 2.7 differed in its last bit (torch 2.13).
COLUMNS_MULTIPLE = 32


def squared_norm(values_DR: Tensor) -> Tensor:
    """The sum of squares [R] of each column."""
    return (values_DR * values_DR).sum(0)


def norm(values_DR: Tensor) -> Tensor:
    """The Euclidean norm [R] of each column."""
    return torch.sqrt(squared_norm(values_DR))


def nearest(points_DR: Tensor, others_MD1: Tensor) -> Tensor:
    """The distance [R] of each column to the nearest of M points."""
    away_DMR = (points_DR - others_MD1).movedim(1, 0)
    return torch.sqrt((away_DMR * away_DMR).sum(0).amin(0))

"""Column-wise sums that do not depend on the neighbouring columns.

torch adds the rows of a matrix in the same order for every column as long as rows are padded to full registers.
`stack/layout.py` pads them.
"""

import numpy as np
import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function_unary

# torch's elementwise loops take two registers at a time, and an AVX-512 register holds 16 numbers in float32. Multiples
# of 16 are enough in float64 but not in float32, where x ** 2.7 differed in its last bit (torch 2.13).
COLUMNS_MULTIPLE = 32


def root(values: Tensor) -> Tensor:
    """Square roots, correctly rounded (IEEE 754), thus the same on every processor.

    torch.sqrt is MKL's on processors: up to one unit in the last place off, and different on different ones.
    """
    if has_torch_function_unary(values):
        return handle_torch_function(root, (values,), values)
    if values.device.type != "cpu":
        return torch.sqrt(values)
    with np.errstate(invalid="ignore"):
        return torch.from_numpy(np.sqrt(values.numpy()))


def squared_norm(values_DR: Tensor) -> Tensor:
    """The sum of squares [R] of each column."""
    return (values_DR * values_DR).sum(0)


def norm(values_DR: Tensor) -> Tensor:
    """The Euclidean norm [R] of each column."""
    return root(squared_norm(values_DR))


def nearest(points_DR: Tensor, others_MD1: Tensor) -> Tensor:
    """The distance [R] of each column to the nearest of M points."""
    away_DMR = (points_DR - others_MD1).movedim(1, 0)
    return root((away_DMR * away_DMR).sum(0).amin(0))

"""How do the starting points of runs become the columns of a stack?"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor


def checked_starts(starts: ArrayLike, num_runs: int, num_parameters: int) -> NDArray[np.float64]:
    """Starting points as an array [runs, D]; ValueError where they have another shape."""
    points = np.asarray(starts, dtype=np.float64)
    if points.shape != (num_runs, num_parameters):
        raise ValueError(f"starts have the shape {points.shape}; it must be {(num_runs, num_parameters)}.")
    return points


def start_columns(
    starts: NDArray[np.float64], source_R: NDArray[np.int64], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """The starts [D, R] of a stack whose column c stands for run `source_R[c]`."""
    return torch.from_numpy(np.ascontiguousarray(starts[source_R].T)).to(device=device, dtype=dtype)

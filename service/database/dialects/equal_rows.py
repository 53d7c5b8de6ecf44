"""Rows of equal size as bytes, packed by numpy column by column."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Rows that are packed together stay in the first-level cache from column to column.
_BLOCK_ROWS = 1_024


def repeat_row(row: NDArray[Any], columns_N: Mapping[str, NDArray[Any]], num_rows: int) -> NDArray[Any]:
    """Repeat a structured array of one row N times, with other values in some columns."""
    row_bytes = np.frombuffer(row.tobytes(), dtype=np.uint8)
    bytes_N = np.empty((num_rows, len(row_bytes)), dtype=np.uint8)
    rows_N: NDArray[Any] = bytes_N.view(row.dtype)[:, 0]
    for first in range(0, num_rows, _BLOCK_ROWS):
        bytes_N[first : first + _BLOCK_ROWS] = row_bytes
        block = rows_N[first : first + _BLOCK_ROWS]
        for name, column_N in columns_N.items():
            block[name] = column_N[first : first + _BLOCK_ROWS]
    return rows_N

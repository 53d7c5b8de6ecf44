"""The binary format of PostgreSQL's COPY, for rows without NULL (PostgreSQL manual, "COPY", binary format).

A row is the number of its columns as two bytes, then of each column its size as four bytes and its value. Without NULL
all rows have one size, so that numpy packs them as one structured array.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

INT4, INT8, FLOAT8 = ">i4", ">i8", ">f8"
# The signature, no flags, no header extension.
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


def pack(num_rows: int, columns: Mapping[str, tuple[str, Any]]) -> bytes:
    """Write columns, each of a kind and with a value per row or one for all."""
    layout = [("num_columns", ">i2")]
    for name, (kind, _) in columns.items():
        layout += [(f"{name}.size", ">i4"), (name, kind)]
    rows = np.empty(num_rows, dtype=layout)
    rows["num_columns"] = len(columns)
    for name, (kind, values) in columns.items():
        rows[f"{name}.size"], rows[name] = np.dtype(kind).itemsize, values
    return _HEADER + rows.tobytes() + _TRAILER

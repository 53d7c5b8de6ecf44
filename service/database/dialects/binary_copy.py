"""The binary format of PostgreSQL's COPY, for rows without NULL (PostgreSQL manual, "COPY", binary format).

A row is the number of its columns as two bytes, then of each column its size as four bytes and its value. Without NULL
all rows have one size, so that numpy packs them as one structured array.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from service.database.dialects.equal_rows import repeat_row

INT4, INT8, FLOAT8 = ">i4", ">i8", ">f8"
# The signature, no flags, no header extension.
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"


def pack(num_rows: int, columns: Mapping[str, tuple[str, Any]]) -> bytes:
    """Write columns, each of a kind and with a value per row or one for all."""
    layout = [("num_columns", ">i2")]
    for name, (kind, _) in columns.items():
        layout += [(f"{name}.size", ">i4"), (name, kind)]
    row = np.empty(1, dtype=layout)
    row["num_columns"] = len(columns)
    each = {}
    for name, (kind, values) in columns.items():
        row[f"{name}.size"] = np.dtype(kind).itemsize
        if isinstance(values, np.ndarray):
            each[name] = values
        else:
            row[name] = values
    return b"".join([_HEADER, repeat_row(row, each, num_rows).data, _TRAILER])

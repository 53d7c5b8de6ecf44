"""A decoded table as a file that is mapped into memory: a header in JSON, and the values of each column as they are.

Processes that map the same file share its memory. A reader of a few rows reads a few pages of it.
"""

import json
import math
import mmap
import struct
from pathlib import Path
from typing import Any

import numpy as np

from service.spec.datasets.table import Column, Table

# Changes whenever a reader would decode the same bytes to another table, or the layout of the file changes.
VERSION = 1
_START = struct.Struct("<8sQ")
_MAGIC = b"RAVTBL01"
_ALIGNMENT = 64


class NotDecoded(Exception):
    """The file is not a decoded table, or is incomplete."""


def write_table(path: Path, table: Table) -> None:
    """Write a table. The caller gives the file its final name.

    Raises:
        OSError: The file cannot be written.
    """
    columns: list[dict[str, Any]] = []
    end = 0
    for column in table.columns:
        at, end = end, _aligned(end + column.values.nbytes)
        kind = column.values.dtype.newbyteorder("<").str
        columns.append({"name": column.name, "kind": column.kind, "categories": column.categories, "at": at,
                        "type": kind, "shape": column.values.shape})  # fmt: skip
    text = None if table.text is None else table.text.encode("utf-8", "surrogatepass")
    header = json.dumps({"columns": columns, "text_bytes": None if text is None else len(text), "end": end}).encode()
    first = _aligned(_START.size + len(header))
    with path.open("wb") as file:
        file.write(_START.pack(_MAGIC, len(header)) + header)
        for column, described in zip(table.columns, columns, strict=True):
            file.seek(first + described["at"])
            file.write(np.ascontiguousarray(column.values, dtype=described["type"]).data)
        file.seek(first)
        if text is not None:
            file.write(text)
        file.truncate(first + max(end, len(text or b"")))


def map_table(path: Path) -> Table:
    """Map a table into memory; its arrays cannot be written.

    Raises:
        NotDecoded: The file is not a complete table.
        OSError: There is no such file, or it cannot be read.
    """
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            magic, num_bytes = _START.unpack_from(mapped)
            if magic != _MAGIC:
                raise NotDecoded(f"{path} is not a decoded table")
            header = json.loads(mapped[_START.size : _START.size + num_bytes])
            first = _aligned(_START.size + num_bytes)
            if len(mapped) != first + max(header["end"], header["text_bytes"] or 0):
                raise NotDecoded(f"{path} is incomplete")
            if header["text_bytes"] is not None:
                return Table((), mapped[first : first + header["text_bytes"]].decode("utf-8", "surrogatepass"))
            return Table(tuple(_column(mapped, first, described) for described in header["columns"]))
        except (ValueError, KeyError, struct.error) as error:
            raise NotDecoded(f"{path} is not a decoded table") from error


def _column(mapped: mmap.mmap, first: int, described: dict[str, Any]) -> Column:
    shape = tuple(described["shape"])
    values = np.frombuffer(mapped, described["type"], math.prod(shape), first + described["at"]).reshape(shape)
    return Column(described["name"], described["kind"], values, tuple(described["categories"]))


def _aligned(num_bytes: int) -> int:
    return -(-num_bytes // _ALIGNMENT) * _ALIGNMENT

"""The first rows of a table as plain values."""

from itertools import islice
from typing import Any

import numpy as np

from service.errors import Rejected
from service.spec.datasets.table import Column, Table

# An answer of about 2 MB.
MAX_VALUES = 200_000


def first_rows(table: Table, limit: int) -> tuple[list[str], list[list[Any]]]:
    """Give the names of the columns and at most ``limit`` rows, fewer where these would have too many values.

    Raises:
        Rejected: A single row has too many values.
    """
    if table.text is not None:
        lines = islice(table.text[:MAX_VALUES].split("\n"), limit)
        return ["text"], [[line] for line in lines]
    names = [column.name for column in table.columns]
    num_values = sum(int(np.prod(column.values.shape[1:])) for column in table.columns)
    if num_values > MAX_VALUES:
        raise Rejected.at("query", "limit", f"a row has {num_values:,} values; get the file instead")
    limit = min(limit, MAX_VALUES // num_values)
    return names, [list(row) for row in zip(*(_values(column, limit) for column in table.columns), strict=True)]


def _values(column: Column, limit: int) -> list[Any]:
    values = column.values[:limit].tolist()
    if column.kind == "category":
        return [column.categories[value] if value >= 0 else None for value in values]
    return values if column.kind == "image" else [None if value != value else value for value in values]

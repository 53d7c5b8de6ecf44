"""Summary of a table: kind, missing and distinct values, and range of each column, and the shape of the whole."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.table import Column, Table

Json = dict[str, Any]


def summarize(table: Table) -> Json:
    """Give ``rows``, ``columns`` and ``shape``.

    The shape of columns is [rows, columns], of images [rows, height, width, channels], of a text [characters].
    """
    if table.text is not None:
        column = {"name": "text", "kind": "text", **_counts(0, len(set(table.text))), **_range()}
        return {"rows": table.num_rows, "columns": [column], "shape": [table.num_rows]}
    images = next((column for column in table.columns if column.kind == "image"), None)
    shape = [table.num_rows, len(table.columns)] if images is None else list(images.values.shape)
    return {"rows": table.num_rows, "columns": [_column(column) for column in table.columns], "shape": shape}


def _column(column: Column) -> Json:
    named = {"name": column.name, "kind": column.kind}
    if column.kind == "category":
        return {**named, **_counts(int((column.values < 0).sum()), len(column.categories)), **_range()}
    if column.kind == "image":
        return {**named, **_counts(0, None), **_range(column.values.reshape(-1))}
    is_missing = np.isnan(column.values)
    present = column.values[~is_missing]
    return {**named, **_counts(int(is_missing.sum()), len(np.unique(present))), **_range(present)}


def _counts(missing: int, distinct: int | None) -> Json:
    return {"missing": missing, "distinct": distinct}


def _range(values: NDArray[Any] | None = None) -> Json:
    if values is None or not len(values):
        return {"min": None, "max": None, "mean": None}
    low, high = float(values.min()), float(values.max())
    with np.errstate(over="ignore"):
        mean = float(values.mean(dtype=np.float64))
    if not np.isfinite(mean):
        # The sum of large numbers is infinite, their mean is not.
        scale = max(abs(low), abs(high))
        mean = float((values / scale).mean()) * scale
    return {"min": low, "max": high, "mean": mean}

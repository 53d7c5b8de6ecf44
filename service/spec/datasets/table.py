"""A decoded dataset: named columns of numbers, categories or images, or one text."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ColumnKind = Literal["number", "category", "image"]


@dataclass(frozen=True, eq=False)
class Column:
    """One value per row.

    A number is a float64 [N], NaN where it is missing. A category is its place in ``categories`` as an int32 [N], −1
    where it is missing; the categories are sorted by code point, or as numbers where the file holds integer classes.
    An image is a float32 [N, height, width, channels].
    """

    name: str
    kind: ColumnKind
    values: NDArray[np.float64] | NDArray[np.int32] | NDArray[np.float32]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of equal length in the order of the file, or one text and no columns."""

    columns: tuple[Column, ...]
    text: str | None = None

    @property
    def num_rows(self) -> int:
        """Count the rows; the characters of a text."""
        return len(self.columns[0].values) if self.columns else len(self.text or "")

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

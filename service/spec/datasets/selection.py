"""The columns and rows of a table that a problem uses, and the classes of its target."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.misfit import Misfit
from service.spec.datasets.table import Column, Table
from service.spec.problems.data import Data

MAX_CLASSES = 1_000


@dataclass(frozen=True, eq=False)
class Selection:
    """The part of a table that a problem uses; all arrays are by kept row, [N].

    Attributes:
        features: The columns of inputs, with kept rows only.
        labels: The class of each row, from 0; None for a regression.
        targets: The target of each row; None for a classification.
        classes: The names of the classes; empty for a regression.
    """

    features: tuple[Column, ...]
    labels: NDArray[np.int64] | None
    targets: NDArray[np.float64] | None
    classes: tuple[str, ...]

    @property
    def num_rows(self) -> int:
        """Count the rows that are used."""
        values = self.targets if self.labels is None else self.labels
        return 0 if values is None else len(values)

    @property
    def num_inputs(self) -> int:
        """Count the numbers of an example: one for each number and category, and all of an image."""
        return sum(num_inputs(column) for column in self.features)


def num_inputs(column: Column) -> int:
    """Count the inputs that a column becomes."""
    if column.kind == "category":
        return len(column.categories)
    return int(np.prod(column.values.shape[1:])) if column.kind == "image" else 1


def select(problem: Data, table: Table) -> Selection:
    """Select the target, the features, and the rows without missing values.

    Raises:
        Misfit: The table lacks what the problem names.
    """
    target = _target(problem, table)
    features = _features(problem, table, target)
    keep_N = _kept(problem, [*features, target])
    target = _rows_of(target, keep_N)
    if not len(target.values):
        raise Misfit("missing", "no row is left without missing values")
    labels, classes = _classes(problem, target)
    targets = target.values.astype(np.float64) if labels is None else None
    if targets is not None and targets.min() == targets.max():
        raise Misfit("target", f"column {target.name!r} has the same value in all rows: there is nothing to predict")
    return Selection(tuple(_rows_of(column, keep_N) for column in features), labels, targets, classes)


def _target(problem: Data, table: Table) -> Column:
    name = table.columns[-1].name if problem.target is None else problem.target
    target = _column(table, name, "target")
    if target.kind == "image":
        raise Misfit("target", f"column {name!r} has images; a target has numbers or categories")
    if target.kind == "category" and problem.task == "regression":
        raise Misfit("task", f"must be classification: the target {name!r} has categories")
    return target


def _features(problem: Data, table: Table, target: Column) -> list[Column]:
    names = problem.features
    if names is None:
        names = [column.name for column in table.columns if column.name != target.name]
    if target.name in names:
        raise Misfit("features", f"must not contain the target {target.name!r}")
    if len(set(names)) < len(names):
        raise Misfit("features", "every column must be given once")
    if not names:
        raise Misfit("features", "the dataset has no column besides the target")
    return [_column(table, name, "features") for name in names]


def _column(table: Table, name: str, place: str) -> Column:
    try:
        return table[name]
    except KeyError:
        known = ", ".join(column.name for column in table.columns[:20])
        more = f" and {len(table.columns) - 20:,} more" if len(table.columns) > 20 else ""
        raise Misfit(place, f"the dataset has no column {name!r}; there are {known}{more}") from None


def is_missing(column: Column) -> NDArray[np.bool_]:
    """Tell for each row [N] whether its value is missing."""
    if column.kind == "category":
        return np.asarray(column.values < 0)
    if column.kind == "image":
        return np.asarray(~np.isfinite(column.values).all(axis=(1, 2, 3)))
    return ~np.isfinite(column.values)


def _kept(problem: Data, columns: list[Column]) -> NDArray[np.bool_]:
    """Tell which rows [N] are used."""
    target, keep_N = columns[-1], np.ones(len(columns[-1].values), dtype=np.bool_)
    for column in columns:
        missing_N = is_missing(column)
        if not missing_N.any():
            continue
        if problem.missing == "drop":
            keep_N &= ~missing_N
        elif problem.missing == "refuse" or column is target or column.kind == "image":
            row, remedies = int(np.argmax(missing_N)) + 1, "drop" if problem.missing == "mean" else "drop or mean"
            raise Misfit("missing", f"column {column.name!r} has no finite value in row {row:,}; use {remedies}")
    return keep_N


def _rows_of(column: Column, keep_N: NDArray[np.bool_]) -> Column:
    if keep_N.all():
        return column
    return Column(column.name, column.kind, column.values[keep_N], column.categories)


def _classes(problem: Data, target: Column) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Number the classes that occur, in their order; None for a regression."""
    if target.kind == "number" and problem.task != "classification":
        if problem.label_noise:
            raise Misfit("label_noise", "must be 0: a regression has no labels")
        return None, ()
    found, labels_N = np.unique(target.values, return_inverse=True)
    if len(found) < 2:
        raise Misfit("target", f"column {target.name!r} has a single class")
    if len(found) > MAX_CLASSES:
        raise Misfit(
            "target", f"column {target.name!r} has {len(found):,} classes; at most {MAX_CLASSES:,} are allowed"
        )
    names = tuple(target.categories[int(code)] if target.kind == "category" else f"{code:g}" for code in found)
    return labels_N.astype(np.int64), names

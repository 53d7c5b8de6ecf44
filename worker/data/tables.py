"""Training, validation and test examples of a table: split, encoded and scaled."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.selection import Selection, num_inputs, select
from service.spec.datasets.table import Column, Table
from service.spec.problems.data import Data, portions
from worker.data.scaling import fitted
from worker.data.split import order
from worker.engine.supervised.setup import Examples


@dataclass(frozen=True, eq=False)
class Parts:
    """The examples of each part; None for parts without rows."""

    training: Examples
    validation: Examples | None
    test: Examples | None


def parts(problem: Data, table: Table) -> Parts:
    """Prepare the examples of a problem; everything that is fitted is fitted on the training rows.

    Inputs are [N, F] in float64: a column for each number, one for each category in its order, and the pixels of
    images, channel by channel.

    Raises:
        Misfit: The table lacks what the problem names.
    """
    found = select(problem, table)
    order_N = order(found.num_rows, problem.split_seed, found.labels)
    num = portions(found.num_rows, problem.test_share, problem.validation_share or 0.0)
    test_N, validation_N, training_N = np.split(order_N, [num.test, num.test + num.validation])
    training_N = training_N[: problem.train_size]
    inputs_NF = _encoded(found, training_N)
    images = found.features[0] if len(found.features) == 1 and found.features[0].kind == "image" else None
    groups = None if images is None else images.values.shape[3]
    inputs_NF = fitted(problem.scale or "none", inputs_NF[training_N], groups).apply(inputs_NF)
    labels_N = found.labels if found.targets is None else _scaled(problem, found.targets, training_N)
    assert labels_N is not None

    def examples(rows: NDArray[np.int64]) -> Examples | None:
        return Examples(inputs_NF[rows], labels_N[rows]) if len(rows) else None

    training = examples(training_N)
    assert training is not None, "a job without training rows is rejected"
    return Parts(training, examples(validation_N), examples(test_N))


def _scaled(problem: Data, targets_N: NDArray[np.float64], training_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """Targets, scaled as a feature would be; whitened is standard."""
    targets_N1 = targets_N[:, None].copy()
    kind = "standard" if problem.scale == "whiten" else problem.scale or "none"
    return fitted(kind, targets_N1[training_N]).apply(targets_N1)[:, 0]


def _encoded(found: Selection, training_N: NDArray[np.int64]) -> NDArray[np.float64]:
    """The inputs [N, F] before scaling."""
    inputs_NF = np.zeros((found.num_rows, found.num_inputs))
    at = 0
    for column in found.features:
        width = num_inputs(column)
        _encode(column, training_N, inputs_NF[:, at : at + width])
        at += width
    return inputs_NF


def _encode(column: Column, training_N: NDArray[np.int64], into_NF: NDArray[np.float64]) -> None:
    values = column.values
    if column.kind == "image":
        into_NF[:] = np.moveaxis(values, 3, 1).reshape(len(values), -1)
    elif column.kind == "category":
        # A category that training lacks, or that is missing, is all zeros.
        codes_N = values.astype(np.int64)
        is_known_N = np.isin(codes_N, codes_N[training_N]) & (codes_N >= 0)
        rows_N = np.flatnonzero(is_known_N)
        into_NF[rows_N, codes_N[rows_N]] = 1.0
    else:
        known_N = np.isfinite(values[training_N])
        # Missing values are those of the problem "mean" only; 0 where training has none at all.
        mean = values[training_N][known_N].mean() if known_N.any() else 0.0
        into_NF[:, 0] = np.where(np.isfinite(values), values, mean)

"""Columns of a part by their settings: those that share one optimizer of torch."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engine.numerics.columns import COLUMNS_MULTIPLE

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The columns of a stepper.

    Attributes:
        values: Hyper-parameters by name, one per column [R].
        members: The run of each column [R], ascending; repetitions pad.
    """

    values: Mapping[str, Floats]
    members: NDArray[np.int64]

    @property
    def real(self) -> NDArray[np.int64]:
        """The columns that repeat no other."""
        return np.flatnonzero(np.diff(self.members, prepend=-1) != 0)

    def of(self, column: int) -> dict[str, float]:
        """The hyper-parameters of a column."""
        return {name: float(values_R[column]) for name, values_R in self.values.items()}

    def settings(self) -> list[NDArray[np.int64]]:
        """The columns of each setting, padded by repetitions of its last one."""
        real = self.real
        table_RH = np.stack([values_R[real] for values_R in self.values.values()], 1)
        _, first, setting_R = np.unique(table_RH, axis=0, return_index=True, return_inverse=True)
        found = [real[np.ravel(setting_R) == setting] for setting in np.argsort(first, kind="stable")]
        return [np.pad(columns, (0, -len(columns) % COLUMNS_MULTIPLE), mode="edge") for columns in found]

"""What did a job measure? Its answers over HTTP, as arrays: a row per run, a column per recorded epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Evidence:
    """The runs of one completed job and their histories, as GET …/runs and GET …/metrics answer them."""

    spec: Json
    runs: Sequence[Json]
    histories: Sequence[Json]

    @cached_property
    def epochs(self) -> NDArray[np.int64]:
        """Give the recorded epochs [E], which all runs share as far as they got."""
        longest = max(self.histories, key=lambda history: len(history["epoch"]))
        return np.array(longest["epoch"], dtype=np.int64)

    def rows(self, label: str) -> list[int]:
        """Find the runs of a label: an optimizer's, or one setting's.

        Raises:
            KeyError: No run is called so.
        """
        found = [at for at, run in enumerate(self.runs) if (run["label"] + " ").startswith(label + " ")]
        exact = [at for at in found if self.runs[at]["label"] == label]
        if not found:
            raise KeyError(f"no run is called {label!r}; there are {sorted({run['label'] for run in self.runs})}")
        return exact or found

    def values(self, field: str, label: str | None = None) -> Floats:
        """Give a field [R, E]; NaN where a run had diverged before, and where nothing was measured."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        table = np.full((len(rows), len(self.epochs)), np.nan)
        for at, row in enumerate(rows):
            column = self.histories[row][field]
            # Numbers that are not finite are words in JSON, which float() reads.
            table[at, : len(column)] = [np.nan if value is None else float(value) for value in column]
        return table

    def positions(self, label: str | None = None) -> Floats:
        """Give the points [R, E, D]."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        points = [self.histories[row]["position"] for row in rows]
        table = np.full((len(rows), len(self.epochs), len(points[0][0])), np.nan)
        for at, of_run in enumerate(points):
            table[at, : len(of_run)] = np.array(of_run, dtype=np.float64)
        return table

    def settings(self, name: str, label: str | None = None) -> Floats:
        """Give a hyper-parameter of each run [R]."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        return np.array([self.runs[row]["optimizer"][name] for row in rows], dtype=np.float64)

    def seeds(self, label: str) -> NDArray[np.int64]:
        """Give the seed of each run [R]."""
        return np.array([self.runs[row]["seed"] for row in self.rows(label)])

    def diverged(self, label: str) -> NDArray[np.bool_]:
        """Tell which runs [R] left all bounds."""
        return np.array([self.runs[row]["status"] == "diverged" for row in self.rows(label)])

    def ends(self, field: str, label: str | None = None) -> Floats:
        """Give a field's last value of each run [R]; infinite where the run diverged, as nothing is worse."""
        values = self.values(field, label)[:, -1]
        return np.where(np.isnan(values), np.inf, values)

"""Histories of a job as arrays with one line per run and one column per recorded epoch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.metric_fields import FIELDS

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
        """Return the recorded epochs [E]; a shorter history has the first of them."""
        longest = max(self.histories, key=lambda history: len(history["epoch"]))
        return np.array(longest["epoch"], dtype=np.int64)

    def rows(self, label: str) -> list[int]:
        """Return the indices of the runs of a label, which names an entry or one setting.

        Raises:
            KeyError: No run has this label.
        """
        found = [at for at, run in enumerate(self.runs) if (run["label"] + " ").startswith(label + " ")]
        exact = [at for at in found if self.runs[at]["label"] == label]
        if not found:
            labels = sorted({run["label"] for run in self.runs})
            raise KeyError(f"no run has the label {label!r}; the labels are {labels}")
        return exact or found

    def values(self, field: str, label: str | None = None) -> Floats:
        """Return a field [R, E]; NaN after a run has diverged and where nothing was measured."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        table = np.full((len(rows), len(self.epochs)), np.nan)
        for at, row in enumerate(rows):
            column = self.histories[row][field]
            # float() parses the words that JSON has for numbers that are not finite.
            table[at, : len(column)] = [np.nan if value is None else float(value) for value in column]
        return table

    def positions(self, label: str | None = None) -> Floats:
        """Return the positions [R, E, D]."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        points = [self.histories[row]["position"] for row in rows]
        table = np.full((len(rows), len(self.epochs), len(points[0][0])), np.nan)
        for at, of_run in enumerate(points):
            table[at, : len(of_run)] = np.array(of_run, dtype=np.float64)
        return table

    def settings(self, name: str, label: str | None = None) -> Floats:
        """Return a hyper-parameter of each run [R]."""
        rows = range(len(self.runs)) if label is None else self.rows(label)
        return np.array([self.runs[row]["optimizer"][name] for row in rows], dtype=np.float64)

    def seeds(self, label: str) -> NDArray[np.int64]:
        """Return the seed of each run [R]."""
        return np.array([self.runs[row]["seed"] for row in self.rows(label)])

    def diverged(self, label: str) -> NDArray[np.bool_]:
        """Return which runs [R] diverged."""
        return np.array([self.runs[row]["status"] == "diverged" for row in self.rows(label)])

    def ends(self, field: str, label: str | None = None) -> Floats:
        """Return the last value of a field of each run [R]; infinite if the run diverged."""
        values = self.values(field, label)[:, -1]
        return np.where(np.isnan(values), np.inf, values)

    def judging(self, label: str) -> NDArray[np.bool_]:
        """Return which runs [R] of a label judge: their seed is at an odd position. The other half chooses settings."""
        seeds = self.seeds(label)
        return np.asarray(np.searchsorted(np.unique(seeds), seeds) % 2 == 1)

    def with_setting(self, label: str, value: float, name: str = "lr") -> NDArray[np.bool_]:
        """Return which runs [R] of a label have a value of a hyper-parameter.

        Raises:
            KeyError: No run has this value.
        """
        found = np.isclose(self.settings(name, label), value)
        if not found.any():
            raise KeyError(f"no run of {label!r} has the {name} {value:g}")
        return found

    def outcomes(self, field: str, label: str) -> Floats:
        """Return the last value of a field of each run [R], with a defined value for failed runs.

        A loss above that of the untrained start, the median of the first row, counts as that start. So does a diverged
        run; its accuracy counts 0.
        """
        values = self.values(field, label)
        if FIELDS[field].is_share:
            return np.nan_to_num(values[:, -1], nan=0.0)
        start = float(np.median(values[:, 0]))
        return np.fmin(values[:, -1], start)

    def chosen(self, field: str, label: str, name: str = "lr") -> float:
        """Return the value of a hyper-parameter with the lowest median final loss of the seeds that choose."""
        ends, settings, choosing = self.outcomes(field, label), self.settings(name, label), ~self.judging(label)
        medians = {
            value: float(np.median(ends[choosing & (settings == value)])) for value in np.unique(settings).tolist()
        }
        return float(min(medians, key=lambda value: medians[value]))

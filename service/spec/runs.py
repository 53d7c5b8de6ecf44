"""The runs of a spec: run i with its label, its hyper-parameters, its seed and its start.

Runs are settings × seeds × starts, in that order of nesting. They are not listed: a sweep of a million runs has a few
short axes, and run i is found by division.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.entry_settings import EntrySettings
from service.spec.job import JobSpec
from service.spec.problems import LandscapeProblem
from service.spec.seeds import SeedRange


@dataclass(frozen=True)
class Run:
    """One run of a job, with all hyper-parameters."""

    index: int
    label: str
    optimizer: dict[str, Any]
    seed: int
    start: list[float] | None


class Runs:
    """All runs of a spec, by index."""

    def __init__(self, spec: JobSpec) -> None:
        self.spec = spec
        self.entries = [EntrySettings.of(entry, spec.search) for entry in spec.optimizers]
        self.num_seeds = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
        # Converted once: a list has up to a million seeds, and each run reads one of them.
        self._listed = None if isinstance(spec.seeds, SeedRange) else np.array(spec.seeds, dtype=np.int64)
        self.num_starts = spec.problem.num_starts
        self.per_setting = self.num_seeds * self.num_starts
        # The first run of each entry, and the end.
        self.firsts = [0]
        for settings in self.entries:
            self.firsts.append(self.firsts[-1] + settings.num * self.per_setting)

    def __len__(self) -> int:
        return self.firsts[-1]

    def __getitem__(self, index: int) -> Run:
        number = int(np.searchsorted(self.firsts, index, side="right")) - 1
        setting, rest = divmod(index - self.firsts[number], self.per_setting)
        return Run(
            index=index,
            label=self.entries[number].label(setting),
            optimizer=self.entries[number].optimizer(setting),
            seed=int(self.seeds(np.array([rest // self.num_starts]))[0]),
            start=self.starts(np.array([index]))[0].tolist() if self.spec.problem.is_landscape else None,
        )

    def seeds(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Give seeds by their position in the spec."""
        if isinstance(self.spec.seeds, SeedRange):
            return self.spec.seeds.first + positions
        assert self._listed is not None
        return self._listed[positions]

    def starts(self, index_R: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give the starts of runs on a landscape by their indices, shape [runs, dimension]."""
        if not isinstance(self.spec.problem, LandscapeProblem):
            raise TypeError(f"Runs on {self.spec.problem.kind} have no starting point.")
        seed_R, number_R = np.divmod(index_R % self.per_setting, self.num_starts)
        return self.spec.problem.points(self.seeds(seed_R), number_R)

    def labelled(self, label: str) -> Iterator[tuple[int, int]]:
        """Find the runs with a label of an entry or of a setting, as ranges (first, one past the last)."""
        for first, last, settings in zip(self.firsts, self.firsts[1:], self.entries, strict=False):
            own = settings.entry.label or settings.entry.kind
            if label == own:
                yield first, last
            elif label.startswith(own + " ") and (setting := settings.find(label[len(own) + 1 :])) is not None:
                yield first + setting * self.per_setting, first + (setting + 1) * self.per_setting

"""The runs of a spec: run i with its label, its hyper-parameters, its seed and its start.

Runs are settings × seeds × starts, in that order of nesting; those of a job that decides are seeds × settings × starts.
They are not listed: a sweep of a million runs has a few short axes, and run i is found by division.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.entry_settings import EntrySettings
from service.spec.job import JobSpec
from service.spec.layout import BySeed, BySetting
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
    """All runs of a spec, by index.

    Args:
        spec: The spec.
        num_seeds: Number of seeds of a job that decides, by default those before its first look.
        chosen: The settings that a job which decides trains after its first seeds; by default all.
    """

    def __init__(self, spec: JobSpec, num_seeds: int | None = None, chosen: Sequence[int] | None = None) -> None:
        self.spec = spec
        self.entries = [EntrySettings.of(entry, spec.search) for entry in spec.optimizers]
        given = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
        self.num_seeds = given if num_seeds is None else num_seeds
        # Converted once: a list has up to a million seeds, and each run reads one of them.
        self._listed = None if isinstance(spec.seeds, SeedRange) else np.array(spec.seeds, dtype=np.int64)
        self.num_starts = spec.problem.num_starts
        # Seeds that choose settings: the first ones of a job that decides among several settings of a label.
        self.num_choosing = given if spec.decide is not None and any(one.num > 1 for one in self.entries) else 0
        self.per_setting = self.num_seeds * self.num_starts
        # The first setting of each entry, and the end.
        self.firsts = [0]
        for settings in self.entries:
            self.firsts.append(self.firsts[-1] + settings.num)
        size = self.firsts[-1], self.num_seeds, self.num_starts
        if spec.decide is None:
            self.layout: BySetting | BySeed = BySetting(*size)
        elif chosen is None:
            self.layout = BySeed(*size, num_choosing=0, chosen=tuple(range(self.num_settings)))
        else:
            self.layout = BySeed(*size, num_choosing=given, chosen=tuple(chosen))

    def __len__(self) -> int:
        return len(self.layout)

    def __getitem__(self, index: int) -> Run:
        (setting,), (position,), _ = (found.tolist() for found in self.layout.places(np.array([index])))
        number = self.entry_of(setting)
        own = setting - self.firsts[number]
        return Run(
            index=index,
            label=self.entries[number].label(own),
            optimizer=self.entries[number].optimizer(own),
            seed=int(self.seeds(np.array([position]))[0]),
            start=self.starts(np.array([index]))[0].tolist() if self.spec.problem.is_landscape else None,
        )

    @property
    def num_settings(self) -> int:
        """Count the settings of all entries."""
        return self.firsts[-1]

    def entry_of(self, setting: int) -> int:
        """Find the entry of a setting."""
        return int(np.searchsorted(self.firsts, setting, side="right")) - 1

    def setting_of(self, index: int) -> int:
        """Give the setting of a run."""
        return int(self.layout.places(np.array([index]))[0][0])

    def first_run(self, setting: int) -> int:
        """Give the index of the first run of a setting."""
        return next(self.layout.ranges(setting, setting + 1))[0]

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
        _, seed_R, number_R = self.layout.places(index_R)
        return self.spec.problem.points(self.seeds(seed_R), number_R)

    def labelled(self, label: str) -> Iterator[tuple[int, int]]:
        """Find the runs with a label of an entry or of a setting, as ranges (first, one past the last)."""
        for first, last in self.labelled_settings(label):
            yield from self.layout.ranges(first, last)

    def labelled_settings(self, label: str) -> Iterator[tuple[int, int]]:
        """Find the settings with a label, or of an entry with it, as ranges (first, one past the last)."""
        for first, last, settings in zip(self.firsts, self.firsts[1:], self.entries, strict=False):
            own = settings.entry.label or settings.entry.kind
            if label == own:
                yield first, last
            elif label.startswith(own + " ") and (setting := settings.find(label[len(own) + 1 :])) is not None:
                yield first + setting, first + setting + 1

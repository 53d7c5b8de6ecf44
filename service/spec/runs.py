"""Which runs a spec stands for: run number i, its label, its hyper-parameters, its seed and its start.

Runs are optimizers (expanded) × seeds × starts, in that order of nesting. Nothing is listed: a sweep of a
million runs is a few short axes, and run i is found by division.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.entry import Entry
from service.spec.fields import values_of
from service.spec.job import JobSpec, SeedRange


@dataclass(frozen=True)
class Run:
    """One run of a job, every hyper-parameter resolved."""

    index: int
    label: str
    optimizer: dict[str, Any]
    seed: int
    start: list[float] | None


@dataclass(frozen=True)
class Settings:
    """The settings that one entry of the optimizers expands into: its axes, the first varying slowest."""

    entry: Entry
    axes: Mapping[str, NDArray[np.float64]]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Count the values along each axis."""
        return tuple(len(values) for values in self.axes.values())

    @property
    def num(self) -> int:
        """Count the settings."""
        return prod(self.shape)

    def columns(self, settings_R: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
        """Give the hyper-parameters of many settings at once, a column [R] each."""
        positions = np.unravel_index(settings_R, self.shape)
        return {name: values[at] for (name, values), at in zip(self.axes.items(), positions, strict=True)}

    def label(self, setting: int) -> str:
        """Name one setting: the entry's label, and the hyper-parameters that vary."""
        values = {name: float(column[0]) for name, column in self.columns(np.array([setting])).items()}
        varying = [f"{name}={values[name]:.12g}" for name, axis in self.axes.items() if len(axis) > 1]
        return " ".join([self.entry.label or self.entry.kind, *varying])

    def optimizer(self, setting: int) -> dict[str, Any]:
        """Give one setting as the API shows it."""
        hyper = {name: float(column[0]) for name, column in self.columns(np.array([setting])).items()}
        return {**self.entry.model_dump(mode="json", exclude={"label"}), **hyper}


class Runs:
    """All runs of a spec, by index."""

    def __init__(self, spec: JobSpec) -> None:
        self.spec = spec
        self.settings = [
            Settings(entry, {name: np.array(values_of(grid)) for name, grid in entry.grids().items()})
            for entry in spec.optimizers
        ]
        self.num_seeds = spec.seeds.count if isinstance(spec.seeds, SeedRange) else len(spec.seeds)
        self.num_starts = spec.problem.num_starts
        self.per_setting = self.num_seeds * self.num_starts
        # The first run of each entry, and the end.
        self.firsts = [0]
        for settings in self.settings:
            self.firsts.append(self.firsts[-1] + settings.num * self.per_setting)

    def __len__(self) -> int:
        return self.firsts[-1]

    def __getitem__(self, index: int) -> Run:
        number = int(np.searchsorted(self.firsts, index, side="right")) - 1
        setting, rest = divmod(index - self.firsts[number], self.per_setting)
        seed, start = divmod(rest, self.num_starts)
        points = getattr(self.spec.problem, "points", None)
        return Run(
            index=index,
            label=self.settings[number].label(setting),
            optimizer=self.settings[number].optimizer(setting),
            seed=int(self.seeds(np.array([seed]))[0]),
            start=None if points is None else points[start].tolist(),
        )

    def seeds(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Look up seeds by their position in the spec."""
        if isinstance(self.spec.seeds, SeedRange):
            return self.spec.seeds.first + positions
        return np.array(self.spec.seeds, dtype=np.int64)[positions]

    def labelled(self, label: str) -> Iterator[tuple[int, int]]:
        """Find the runs that carry a label, as (first, one past the last): all of an entry's, or one setting's."""
        for first, last, settings in zip(self.firsts, self.firsts[1:], self.settings, strict=False):
            own = settings.entry.label or settings.entry.kind
            if label == own:
                yield first, last
            elif (
                label.startswith(own + " ") and (setting := self._setting(settings, label[len(own) + 1 :])) is not None
            ):
                yield first + setting * self.per_setting, first + (setting + 1) * self.per_setting

    @staticmethod
    def _setting(settings: Settings, written: str) -> int | None:
        """Find the setting whose varying hyper-parameters are written like this: ``lr=0.1 momentum=0.9``."""
        given = dict(part.split("=", 1) for part in written.split(" ") if "=" in part)
        position = []
        for name, axis in settings.axes.items():
            if len(axis) == 1:
                position.append(0)
                continue
            matches = [at for at, value in enumerate(axis.tolist()) if f"{value:.12g}" == given.get(name)]
            if not matches:
                return None
            position.append(matches[0])
        setting = int(np.ravel_multi_index(position, settings.shape))
        return setting if settings.label(setting).endswith(written) else None

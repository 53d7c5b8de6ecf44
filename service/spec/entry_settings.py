"""The settings of one entry: every combination of its hyper-parameter values.

An axis is one or more hyper-parameters whose values change together, n values each. The settings are the product of the
axes, the first varying slowest. A grid has one axis for each hyper-parameter, of length 1 where it is fixed. A search
has one axis with its trials.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from service.spec.entry import Entry
from service.spec.fields import Interval, Range, shape_of, values_of
from service.spec.search import USUAL, Search

Floats = NDArray[np.float64]
Axis = Mapping[str, Floats]


@dataclass(frozen=True)
class EntrySettings:
    """S settings of one entry, numbered from 0."""

    entry: Entry
    axes: Sequence[Axis]

    @classmethod
    def of(cls, entry: Entry, search: Search = USUAL) -> Self:
        """Expand an entry: lists and ranges multiply into a grid, or are dimensions of its search."""
        if entry.is_searched:
            return cls(entry, _searched(entry, search))
        return cls(entry, [{name: np.array(values_of(grid))} for name, grid in entry.grids().items()])

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Number of values along each axis."""
        return tuple(len(next(iter(axis.values()))) for axis in self.axes)

    @property
    def num(self) -> int:
        """Number of settings, S."""
        return prod(self.shape)

    @property
    def varying(self) -> list[str]:
        """Hyper-parameters with more than one value."""
        return [name for axis, num in zip(self.axes, self.shape, strict=True) if num > 1 for name in axis]

    def axis_of(self, name: str) -> int:
        """Position of the axis of a hyper-parameter."""
        return next(at for at, axis in enumerate(self.axes) if name in axis)

    def varies_with_others(self, name: str) -> bool:
        """Whether the value of a hyper-parameter changes together with others, as in a search over several."""
        return len(self.axes[self.axis_of(name)]) > 1

    def values_of(self, name: str) -> Floats:
        """Values of a hyper-parameter along its axis, [n]."""
        return self.axes[self.axis_of(name)][name]

    def columns(self, settings_R: NDArray[np.int64]) -> dict[str, Floats]:
        """Hyper-parameters of R settings, given by number: a column [R] each."""
        positions = np.unravel_index(settings_R, self.shape)
        return {
            name: values[at_R] for axis, at_R in zip(self.axes, positions, strict=True) for name, values in axis.items()
        }

    def label(self, setting: int) -> str:
        """Label of one setting: the entry's label, and the hyper-parameters that vary."""
        values = self._values(setting)
        varying = (self._written(name, values[name]) for name in self.varying)
        return " ".join([self.entry.label or self.entry.kind, *varying])

    def optimizer(self, setting: int) -> dict[str, Any]:
        """One setting as the API shows it, every hyper-parameter a number."""
        return self.entry.resolved(self._values(setting))

    def find(self, written: str) -> int | None:
        """Number of the setting with these varying hyper-parameters, written as ``lr=0.1 momentum=0.9``."""
        given = written.split(" ")
        position = []
        for axis, num in zip(self.axes, self.shape, strict=True):
            at = next(
                (at for at in range(num) if all(self._written(name, axis[name][at]) in given for name in axis)), None
            ) if num > 1 else 0  # fmt: skip
            if at is None:
                return None
            position.append(at)
        setting = int(np.ravel_multi_index(position, self.shape))
        return setting if self.label(setting).endswith(f" {written}") else None

    def _written(self, name: str, value: float) -> str:
        # Values of a grid are short; those of trials are shortened.
        return f"{name}={value:.{6 if self.entry.is_searched else 12}g}"

    def _values(self, setting: int) -> dict[str, float]:
        return {name: float(column[0]) for name, column in self.columns(np.array([setting])).items()}


def num_settings(entry: Entry, search: Search) -> int:
    """Count the settings of an entry without listing them."""
    if entry.is_searched:
        return search.trials
    grids = entry.grids().values()
    return prod(grid.num if isinstance(grid, Range) else len(grid) if isinstance(grid, list) else 1 for grid in grids)


def _searched(entry: Entry, search: Search) -> list[Axis]:
    """Make an axis of the trials, and one of length 1 for each number.

    Each hyper-parameter that is no number is a dimension, in the order in which they nest; u in [0, 1) of a list or
    range of n values takes value ⌊u·n⌋.
    """
    grids = entry.grids()
    drawn = [name for name, grid in grids.items() if shape_of(grid) != "number"]
    trials = {}
    for name, share_M in zip(drawn, search.points(len(drawn)).T, strict=True):
        grid = grids[name]
        if isinstance(grid, Interval):
            trials[name] = grid.at(share_M)
        else:
            values = np.array(values_of(grid), dtype=np.float64)
            trials[name] = values[(share_M * len(values)).astype(np.int64)]
    return [trials, *({name: np.array([grids[name]])} for name in grids if name not in trials)]

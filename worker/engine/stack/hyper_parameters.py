"""Which settings are in force at each update, and which numbers does the formula derive from them?

Settings are numbers of the user's, so they and all that is derived from them (1 − β, bias corrections) are computed
in float64, as torch.optim does with Python's numbers, and rounded to the weights' dtype only where they meet a
matrix. They are made for many updates at a time: a table costs few calls more than a row.
"""

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.optimizers import OPTIMIZERS
from worker.engine.protocols import Rows
from worker.engine.stack.groups import Group
from worker.engine.stack.schedule import Course
from worker.engine.updates.gradient import CLIPPING

# A table covers up to 64 updates, fewer where it would have more than this many numbers (two megabytes).
NUMBERS_PER_TABLE = 2**18
LONGEST_TABLE = 64


class SettingsTable:
    """The settings of one group for some of its columns; `members[c]` is the position within the group of column c."""

    def __init__(
        self,
        group: Group,
        members: NDArray[np.int64],
        dtype: torch.dtype,
        device: torch.device,
        updates_per_epoch: int = 1,
    ) -> None:
        self._optimizer = OPTIMIZERS[group.kind]
        self._group = group
        self._dtype = dtype
        self._device = device
        self._settings = self._on_device(group.settings, members)
        self._updates_per_epoch = updates_per_epoch
        self._num_updates = max(4, min(LONGEST_TABLE, NUMBERS_PER_TABLE // len(members)))
        self._first = -1
        self._constant = False
        self._in_force: dict[str, Tensor] = {}
        self._rows: dict[str, Tensor] = {}
        self._varying: dict[str, Tensor] = {}

    def at_start(self, name: str) -> Tensor:
        """A setting [R] as it is in force at the first update, in the weights' dtype."""
        self._reach(0)
        return self._row(self._in_force[name], 0).to(self._dtype)

    def rows(self, update: int) -> Rows:
        """What the formula needs at update number `update` (from 0): one row [R] per name, in the weights' dtype."""
        self._reach(update)
        if not self._varying:
            return self._rows
        offset = update - self._first
        return self._rows | {name: table[offset] for name, table in self._varying.items()}

    def recorded(self, update: int) -> tuple[Tensor, Tensor | None]:
        """Learning rate and momentum in force at an update, in float64; None where the method has no momentum."""
        self._reach(update)
        momentum = self._optimizer.momentum
        rate = self._row(self._in_force["lr"], update)
        if momentum is None:
            return rate, None
        return rate, self._row(self._in_force[momentum], update)

    def _reach(self, update: int) -> None:
        first = update // self._num_updates * self._num_updates
        if first == self._first or self._constant:
            return
        self._first = first
        # As many rows for every stack, of which a wide one needs but the first: the last few elements of a column would
        # take a scalar path, and a factor must not depend on how many runs there are.
        updates_T = torch.arange(first, first + LONGEST_TABLE, dtype=torch.float64, device=self._device)
        updates_T1 = updates_T[:, None]
        rate_course, momentum_course = self._group.courses
        settings = dict(self._settings)
        for rate in self._optimizer.rates:
            settings[rate] = settings[rate] * self._factors(rate_course, updates_T1)
        momentum = self._optimizer.momentum
        if momentum is not None:
            settings[momentum] = settings[momentum] * self._factors(momentum_course, updates_T1)
        updates_T1 = updates_T1[: self._num_updates]
        self._in_force = settings
        tables = self._optimizer.rows(updates_T1 + 1, settings, self._group.terms)
        tables |= {name: settings[name] for name in CLIPPING if name in settings}
        tables = {name: table.to(self._dtype) for name, table in tables.items()}
        self._varying = {name: table for name, table in tables.items() if len(table) > 1}
        self._rows = {name: table[0] for name, table in tables.items() if len(table) == 1}
        self._constant = all(len(table) == 1 for table in (*settings.values(), *tables.values()))

    def _factors(self, course: Course, updates_T1: Tensor) -> Tensor:
        return course.factors(updates_T1, self._updates_per_epoch)[: self._num_updates]

    def _row(self, table: Tensor, update: int) -> Tensor:
        return table[0] if len(table) == 1 else table[update - self._first]

    def _on_device(self, settings: Mapping[str, NDArray[np.float64]], members: NDArray[np.int64]) -> dict[str, Tensor]:
        return {name: torch.from_numpy(values[members][None]).to(self._device) for name, values in settings.items()}

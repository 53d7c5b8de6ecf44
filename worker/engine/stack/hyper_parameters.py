"""Hyper-parameters in force at each update, and the coefficients that an update formula derives from them.

Both are computed in float64, as torch.optim does with Python's numbers, and rounded to the weights' dtype only where
they meet a matrix. A table covers many updates, since it costs few calls more than a single update.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.engine.numerics.columns import COLUMNS_MULTIPLE
from worker.engine.numerics.same import column, is_same, table
from worker.engine.numerics.settings import Columns, Floats
from worker.engine.protocols import Coefficients
from worker.engine.stack.groups import Group
from worker.engine.stack.schedule import Schedule
from worker.engine.updates.gradient import CLIPPING

# A table covers up to 64 updates, fewer where it would have more than this many numbers (two megabytes).
NUMBERS_PER_TABLE = 2**18
LONGEST_TABLE = 64
# Updates that a table without changes serves.
LONGEST = 2**62


# Name, whether it changes with updates, and whether it is one number for all columns.
Kinds = tuple[tuple[str, bool, bool], ...]


@dataclass(frozen=True)
class Window:
    """Coefficients of consecutive updates: [R] or [1] where they do not change, else [T, R] or [T, 1].

    `updates` is the number of updates that they serve.
    """

    constant: Mapping[str, Tensor]
    varying: Mapping[str, Tensor]
    updates: int


class HyperParameterTable:
    """The hyper-parameters of some columns of a group; `members[c]` is the position of column c in the group."""

    def __init__(
        self,
        group: Group,
        members: NDArray[np.int64],
        dtype: torch.dtype,
        device: torch.device,
        updates_per_epoch: int = 1,
    ) -> None:
        self._optimizer = group.optimizer
        self._group = group
        self._dtype = dtype
        self._device = device
        self._num = len(members)
        self._members = members
        # Powers of the last few columns, which fill no register, would differ in the last bit.
        members = np.pad(members, (0, -len(members) % COLUMNS_MULTIPLE), mode="edge")
        self._given = self._on_device(group.hyper_parameters, members)
        self._updates_per_epoch = updates_per_epoch
        self._num_updates = max(4, min(LONGEST_TABLE, NUMBERS_PER_TABLE // len(members)))
        self._first = -1
        self._constant = False
        self._in_force: dict[str, Tensor] = {}
        self._coefficients: dict[str, Tensor] = {}
        self._varying: dict[str, Tensor] = {}
        # The first columns of tables whose columns are equal: [T, 1].
        self._narrow: dict[str, Tensor] = {}
        self._unchanging: dict[str, Tensor] = {}

    def at_start(self, name: str) -> Tensor:
        """A hyper-parameter [R] in force at the first update, in the weights' dtype."""
        self._reach(0)
        return self._at(self._in_force[name], 0).to(self._dtype)

    def coefficients(self, update: int) -> Coefficients:
        """What the formula needs at update number `update`, from 0: one [R] per name, in the weights' dtype."""
        self._reach(update)
        if not self._varying and not self._narrow:
            return self._coefficients
        offset = update - self._first
        rows = {name: table[offset] for name, table in self._varying.items()}
        # Not a view: torch would compute with a repeated number in another loop.
        rows |= {name: table_T1[offset].expand(self._num).contiguous() for name, table_T1 in self._narrow.items()}
        return self._coefficients | rows

    @property
    def constant(self) -> bool:
        """Whether nothing changes with the updates."""
        if self._first < 0:
            self._reach(0)
        return self._constant

    def window(self, update: int, least: int) -> Window:
        """All coefficients from an update on, as far as they are computed, for at least so many updates."""
        varying = self._rest(update)
        if not varying:
            return Window(self._unchanging, {}, LONGEST if self._constant else self._first + self._num_updates - update)
        while (num := len(next(iter(varying.values())))) < least:
            following = self._rest(update + num)
            varying = {name: torch.cat([table, following[name]]) for name, table in varying.items()}
        return Window(self._unchanging, varying, num)

    @cached_property
    def kinds(self) -> Kinds:
        """The names of all coefficients: whether each changes with updates, and whether it is one number for all."""
        if self._first < 0:
            self._reach(0)
        varying = self._varying | self._narrow
        rows = self._unchanging | varying
        return tuple((name, name in varying, values.shape[-1] == 1) for name, values in rows.items())

    def _rest(self, update: int) -> dict[str, Tensor]:
        """The tables from an update on."""
        self._reach(update)
        offset = update - self._first
        return {name: table[offset:] for name, table in (self._varying | self._narrow).items()}

    def recorded(self, update: int) -> tuple[Tensor, Tensor | None]:
        """Learning rate and momentum [R] in force at an update, in float64; None where the method has no momentum."""
        self._reach(update)
        momentum = self._optimizer.momentum
        rate = self._at(self._in_force["lr"], update)
        if momentum is None:
            return rate, None
        return rate, self._at(self._in_force[momentum], update)

    def columns(self) -> Columns:
        """The hyper-parameters as they are given, before schedules."""
        values = {name: self._group.hyper_parameters[name][self._members] for name in self._optimizer.hyper_parameters}
        return Columns(values, self._members)

    def scheduled(self, update: int) -> tuple[Floats, Floats | None]:
        """Learning rate [R] in force at an update, and momentum if a schedule changes it."""
        rate_R, momentum_R = self.recorded(update)
        is_constant = momentum_R is None or self._group.schedules[1].constant
        return rate_R.cpu().numpy(), None if is_constant or momentum_R is None else momentum_R.cpu().numpy()

    def _reach(self, update: int) -> None:
        first = update // self._num_updates * self._num_updates
        if first == self._first or self._constant:
            return
        self._first = first
        # Factors are always computed for LONGEST_TABLE updates, of which a wide stack uses the first: the last few
        # elements of a column take a scalar path, and a factor must not depend on the number of runs.
        updates_T = torch.arange(first, first + LONGEST_TABLE, dtype=torch.float64, device=self._device)
        updates_T1 = updates_T[:, None]
        rate_schedule, momentum_schedule = self._group.schedules
        in_force = dict(self._given)
        for rate in self._optimizer.rates:
            in_force[rate] = in_force[rate] * self._factors(rate_schedule, updates_T1)
        momentum = self._optimizer.momentum
        if momentum is not None:
            in_force[momentum] = in_force[momentum] * self._factors(momentum_schedule, updates_T1)
        updates_T1 = updates_T1[: self._num_updates]
        self._in_force = in_force
        tables = self._optimizer.coefficients(updates_T1 + 1, in_force, self._group.terms)
        tables |= {name: in_force[name] for name in CLIPPING if name in in_force}
        given = {name: values[:, : self._num].to(self._dtype) for name, values in tables.items() if not is_same(values)}
        narrow = {name: column(values).to(self._dtype) for name, values in tables.items() if is_same(values)}
        self._varying = {name: values for name, values in given.items() if len(values) > 1}
        self._narrow = {name: values for name, values in narrow.items() if len(values) > 1}
        self._unchanging = {name: values[0] for name, values in (given | narrow).items() if len(values) == 1}
        self._coefficients = {
            name: row.expand(self._num).contiguous() if name in narrow else row
            for name, row in self._unchanging.items()
        }
        self._constant = all(len(values) == 1 for values in (*in_force.values(), *tables.values()))

    def _factors(self, schedule: Schedule, updates_T1: Tensor) -> Tensor:
        return schedule.factors(updates_T1, self._updates_per_epoch)[: self._num_updates]

    def _at(self, values: Tensor, update: int) -> Tensor:
        at = 0 if len(values) == 1 else update - self._first
        return column(values)[at].expand(self._num).contiguous() if is_same(values) else values[at, : self._num]

    def _on_device(self, values: Mapping[str, Floats], members: NDArray[np.int64]) -> dict[str, Tensor]:
        rows = {name: torch.from_numpy(values_R[members][None]).to(self._device) for name, values_R in values.items()}
        return {name: table(row_1R) for name, row_1R in rows.items()}

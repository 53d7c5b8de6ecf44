"""Columns of the matrix for the runs of each group, and blocks of columns that fit the cache.

A run's numbers must not depend on its neighbours. Elementwise operations compute every column alike, except that the
last few elements of a row, which do not fill the processor's registers, take a scalar path: powers and sigmoids differ
there in the last bit, and sums over rows are added in another order. Each group is therefore padded by repeating its
last run; the repetitions are computed and never read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.engine.numerics.columns import COLUMNS_MULTIPLE


@dataclass(frozen=True, slots=True)
class Block:
    """Columns start:stop, and its parts of one group each: (group, start, stop) within all columns."""

    start: int
    stop: int
    parts: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, eq=False)
class Layout:
    """`source[c]` is the run of column c; `columns[r]` is the column from which run r is read.

    Group g has the columns group_starts[g] to group_starts[g + 1].
    """

    source: NDArray[np.int64]
    columns: NDArray[np.int64]
    group_starts: tuple[int, ...]
    group_sizes: tuple[int, ...]
    multiple: int = COLUMNS_MULTIPLE

    @cached_property
    def first_runs(self) -> tuple[int, ...] | None:
        """The first run of each group, if all runs of a group come before those of the next one."""
        if not (np.diff(self.columns) > 0).all():
            return None
        return tuple(int(self.source[start]) for start in self.group_starts[:-1])

    def place(self, group: int, column: int) -> int:
        """Where to store a column of a group: by its run if `first_runs` are known, so that a slice gives all runs.

        What pads a group is then stored where the next group is stored afterwards.
        """
        firsts = self.first_runs
        return column if firsts is None else firsts[group] + column - self.group_starts[group]

    @classmethod
    def of(cls, runs_of_groups: Sequence[NDArray[np.int64]], multiple: int = COLUMNS_MULTIPLE) -> "Layout":
        """Lays out groups one after another; each is given by the indices of its runs, all together 0 … n − 1.

        The number of columns of each group is a multiple of `multiple`.
        """
        sizes = tuple(len(runs) for runs in runs_of_groups)
        if 0 in sizes or not np.array_equal(np.sort(np.concatenate(runs_of_groups)), np.arange(sum(sizes))):
            raise ValueError("Each run must belong to exactly one group, and each group must have a run.")
        columns = np.empty(sum(sizes), dtype=np.int64)
        sources: list[NDArray[np.int64]] = []
        starts = [0]
        for runs in runs_of_groups:
            columns[runs] = starts[-1] + np.arange(len(runs))
            padding = -len(runs) % multiple
            sources.append(np.concatenate([runs, np.repeat(runs[-1:], padding)]))
            starts.append(starts[-1] + len(runs) + padding)
        return cls(np.concatenate(sources), columns, tuple(starts), sizes, multiple)

    def members(self, group: int, start: int, stop: int) -> NDArray[np.int64]:
        """For columns start:stop of a group, the position of each column's run within the group."""
        positions = np.arange(start, stop) - self.group_starts[group]
        return np.minimum(positions, self.group_sizes[group] - 1)

    def blocks(self, widest: int) -> tuple[Block, ...]:
        """Cuts the columns into blocks of at most `widest`: several small groups, or a part of a large one."""
        widest = max(COLUMNS_MULTIPLE, widest // self.multiple * self.multiple)
        num_columns = self.group_starts[-1]
        blocks = []
        for start in range(0, num_columns, widest):
            stop = min(start + widest, num_columns)
            parts = tuple(
                (group, max(start, first), min(stop, last))
                for group, (first, last) in enumerate(pairwise(self.group_starts))
                if first < stop and last > start
            )
            blocks.append(Block(start, stop, parts))
        return tuple(blocks)

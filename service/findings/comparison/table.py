"""Measured values of every setting of a job: tables with a row per setting and a column per seed and start."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.analysis.paths import Path
from service.analysis.summaries import medians
from service.findings.comparison.places import by_index
from service.spec.runs import Runs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """One setting, and its place in the spec."""

    row: int
    entry: int
    number: int
    label: str
    optimizer: dict[str, Any]


@dataclass
class Table:
    """All settings of a job, S rows, with N columns: the distinct seeds × the starts.

    Attributes:
        distinct: Positions of the seeds that are kept: of seeds with equal histories in every run, the first.
        run_N: Positions of the columns among the runs of a setting.
        larger_is_better: Whether the job maximises its loss.
        index_SP: Indices in the job of all runs of each row, P seeds × starts; −1 where the job has no such run.
        chosen: Rows that a job which decides has chosen.
        digest_SN: Digest of the history of each run; −1 while it has not ended.
        first_SN: First epoch at the target; infinite for a miss.
        settled_SN: First epoch from which on the target is kept.
        at_start: The loss and the fields of `LAST_FIELDS` at epoch 0, [N]: all settings of a seed start alike.
        ladder: For rows that are compared, the first epochs at each of L losses, [N, L].
    """

    runs: Runs
    distinct: Integers
    run_N: Integers
    recorded_SN: Bools
    ended_SN: Bools
    diverged_SN: Bools
    epochs_SN: Integers
    final_SN: Floats
    best_SN: Floats
    larger_is_better: bool = False
    index_SP: Integers = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    chosen: list[int] = field(default_factory=list)
    digest_SN: Integers = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    last: dict[str, Floats] = field(default_factory=dict)
    at_start: dict[str, Floats] = field(default_factory=dict)
    area_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    first_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    settled_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    clipped_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    ladder: dict[int, Floats] = field(default_factory=dict)
    paths: dict[int, dict[int, Path]] = field(default_factory=dict)

    @property
    def num_settings(self) -> int:
        """Count the rows."""
        return len(self.final_SN)

    @property
    def num_seeds(self) -> int:
        """Count the distinct seeds."""
        return len(self.distinct)

    @property
    def num_starts(self) -> int:
        """Count the starts of each seed."""
        return self.runs.num_starts

    def columns(self, values_R: NDArray[Any], missing: Any = np.nan) -> NDArray[Any]:
        """Bring values by run into the shape [S, N], with a value for runs that the job does not have."""
        return by_index(values_R, self.index_SP[:, self.run_N], missing)

    def by_seed(self, values_SN: NDArray[Any]) -> NDArray[Any]:
        """Split the columns into seeds and starts, [S, seeds, starts]."""
        return values_SN.reshape(len(values_SN), self.num_seeds, self.num_starts)

    def median_final(self) -> Floats:
        """Give every setting's median final loss, NaN where nothing is recorded."""
        return medians(np.where(self.recorded_SN, self.final_SN, np.nan))

    def setting(self, row: int) -> Setting:
        """Describe the setting of a row."""
        runs = self.runs
        entry = runs.entry_of(row)
        number = row - runs.firsts[entry]
        settings = runs.entries[entry]
        return Setting(row, entry, number, settings.label(number), settings.optimizer(number))

    def rows_of(self, entry: int) -> range:
        """List the rows of an entry of the spec's optimizers."""
        return range(self.runs.firsts[entry], self.runs.firsts[entry + 1])

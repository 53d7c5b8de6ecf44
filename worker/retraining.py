"""Training of a bundle's spec once more, and comparison of every value with the stored one.

Runs are trained in blocks, and rows are compared as soon as they are recorded, so that memory stays bounded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from service.database.bulk import MetricRows
from service.histories.bundle_rows import Rows, StoredRows
from service.spec.datasets.table import Table
from service.spec.job import JobSpec
from service.spec.price import LANES, Price
from service.spec.runs import Runs
from worker.data.known import known_of
from worker.engine.stack.plan import Plan
from worker.engine.trainer import Trainer
from worker.plan import plan
from worker.plugins.installed import Kinds
from worker.recorder import Recorder

# Rows of a block of runs: about 100 MB with ten fields.
BLOCK_ROWS = 500_000
# Recorded rows that are compared at once.
CHUNK_ROWS = 100_000


@dataclass(frozen=True)
class Difference:
    """A value that differs; ``field`` is "row" where one side has no row at all.

    Attributes:
        stored: The value of the bundle; None if it was not measured.
        trained: The value of this machine.
    """

    run: int
    epoch: int
    field: str
    stored: float | int | str | None
    trained: float | int | str | None


@dataclass
class Tally:
    """Counts of a comparison, and how far apart values are.

    Attributes:
        first: The first difference, by run and epoch.
        largest: Largest relative difference of two finite values, |a − b| / max(|a|, |b|).
    """

    runs: int = 0
    rows: int = 0
    values: int = 0
    different: int = 0
    largest: float = 0.0
    first: Difference | None = None

    def note(self, found: Difference) -> None:
        """Keep the first difference."""
        if self.first is None or (found.run, found.epoch) < (self.first.run, self.first.epoch):
            self.first = found


def retrain(
    spec: JobSpec,
    cost: Price,
    stored: StoredRows,
    *,
    chosen: list[int] | None = None,
    is_complete: bool,
    goes_on: bool,
    progress: Callable[[int], None],
    kinds: Kinds = MappingProxyType({}),
    table: Table | None = None,
) -> Tally:
    """Train all runs again and compare them with the stored rows.

    Args:
        spec: The spec.
        cost: Its price.
        stored: The rows of the bundle.
        chosen: As in ``Runs``.
        is_complete: Whether the job completed, so that every row must be there.
        goes_on: Whether to compare everything; otherwise the first block with a difference is the last.
        progress: Called with the number of epochs, over all runs, that are trained so far.
        kinds: The installed classes of this process.
        table: The dataset of a problem on data.
    """
    tally, runs = Tally(), Runs(spec, chosen=chosen)
    theory = known_of(spec, table, None)
    for first, end in _blocks(spec, cost):
        block = _StoredBlock(runs, stored.between(first, end), stored.columns, tally, is_complete=is_complete)
        if is_complete or block.has_rows:
            before = first * spec.epochs
            planned = plan(spec, first, end - first, chosen, kinds, table, theory)
            for epoch in _train(planned, spec, first, block):
                progress(before + (end - first) * epoch)
            tally.runs += end - first
        if tally.first is not None and not goes_on:
            break
    return tally


def _blocks(spec: JobSpec, cost: Price) -> Iterator[tuple[int, int]]:
    size = max(1, min(cost.shard_size, BLOCK_ROWS // spec.rows_per_run))
    size = size // LANES * LANES or size
    for first in range(0, cost.runs_total, size):
        yield first, min(first + size, cost.runs_total)


def _train(planned: Plan, spec: JobSpec, first: int, block: "_StoredBlock") -> Iterator[int]:
    """Train a block of runs as far as its rows go, compare the rows, and give each epoch that is done."""
    trainer = Trainer(planned)
    recorder = Recorder(trainer.fields, first, planned.problem.num_runs, spec.epochs, maximize=spec.maximize)
    for epoch in trainer.run():
        if epoch is not None:
            recorder.add(epoch)
        if recorder.num_rows >= CHUNK_ROWS:
            block.compare(recorder.take(None).rows)
        yield max(trainer.epoch, 0)
        if trainer.epoch >= block.last_epoch(spec.epochs):
            break
    block.compare(recorder.take(None).rows)
    block.end()


class _StoredBlock:
    """The stored rows of a block of runs, with which trained rows are compared."""

    def __init__(
        self, runs: Runs, stored: Rows, columns: tuple[str, ...], tally: Tally, *, is_complete: bool
    ) -> None:  # fmt: skip
        self._runs, self._stored, self._columns, self._tally = runs, stored, columns, tally
        self._is_complete = is_complete
        self._last_stored = int(stored.epoch_N.max(initial=0))
        self._key_N = _keys(stored.index_N, stored.epoch_N)
        self._seen_N = np.zeros(len(stored), dtype=np.bool_)
        self._compare_names()

    @property
    def has_rows(self) -> bool:
        """Whether any row is stored."""
        return len(self._stored) > 0

    def last_epoch(self, epochs: int) -> int:
        """Give the last epoch to train: that of the spec, or of the rows of a job that ended early."""
        return epochs if self._is_complete else self._last_stored

    def compare(self, trained: MetricRows | None) -> None:
        """Compare rows of this machine with the stored ones."""
        if trained is None:
            return
        key_N = _keys(trained.run_index_N, trained.epoch_N)
        at_N = np.searchsorted(self._key_N, key_N)
        found_N = np.zeros(len(key_N), dtype=np.bool_)
        inside_N = at_N < len(self._key_N)
        found_N[inside_N] = self._key_N[at_N[inside_N]] == key_N[inside_N]
        if self._is_complete and not found_N.all():
            self._miss(trained.run_index_N[~found_N], trained.epoch_N[~found_N], stored=None, trained="present")
        at_N = at_N[found_N]
        self._seen_N[at_N] = True
        self._tally.rows += len(at_N)
        for column, name in enumerate(self._columns):
            self._compare_field(name, column, at_N, trained, found_N)

    def end(self) -> None:
        """Note stored rows that this machine has not produced, and keys that occur twice."""
        missed_N = ~self._seen_N
        if missed_N.any():
            stored = self._stored
            self._miss(stored.index_N[missed_N], stored.epoch_N[missed_N], stored="present", trained=None)

    def _compare_field(
        self, name: str, column: int, at_N: np.ndarray, trained: MetricRows, found_N: np.ndarray
    ) -> None:  # fmt: skip
        stored_N, null_N = self._stored.values_CN[column, at_N], self._stored.null_CN[column, at_N]
        if name in trained.fields:
            field = trained.fields.index(name)
            ours_N, measured_N = trained.values_FN[field, found_N], trained.measured_FN[field, found_N]
        else:
            ours_N, measured_N = np.zeros(len(at_N)), np.zeros(len(at_N), dtype=np.bool_)
        both_N = measured_N & ~null_N
        differs_N = (measured_N == null_N) | (both_N & (_bits(stored_N) != _bits(ours_N)))
        self._tally.values += len(at_N)
        if not differs_N.any():
            return
        self._tally.different += int(differs_N.sum())
        with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
            apart_N = np.abs(stored_N - ours_N) / np.maximum(np.abs(stored_N), np.abs(ours_N))
        finite = apart_N[both_N & differs_N & np.isfinite(apart_N)]
        self._tally.largest = max(self._tally.largest, float(finite.max(initial=0.0)))
        first = int(np.flatnonzero(differs_N)[0])
        self._tally.note(
            Difference(
                int(self._stored.index_N[at_N[first]]),
                int(self._stored.epoch_N[at_N[first]]),
                name,
                None if null_N[first] else float(stored_N[first]),
                float(ours_N[first]) if measured_N[first] else None,
            )
        )

    def _compare_names(self) -> None:
        """Compare the seed of every row, and the label of the first row of every run."""
        stored = self._stored
        index_R, first_R = np.unique(stored.index_N, return_index=True)
        for index, at in zip(index_R.tolist(), first_R.tolist(), strict=True):
            run = self._runs[index]
            for name, theirs, ours in (("label", stored.label_N[at], run.label), ("seed", stored.seed_N[at], run.seed)):
                if theirs != ours:
                    self._tally.different += 1
                    self._tally.note(Difference(index, int(stored.epoch_N[at]), name, theirs, ours))

    def _miss(self, index_N: np.ndarray, epoch_N: np.ndarray, *, stored: str | None, trained: str | None) -> None:
        self._tally.different += len(index_N)
        self._tally.note(Difference(int(index_N[0]), int(epoch_N[0]), "row", stored, trained))


def _keys(index_N: np.ndarray, epoch_N: np.ndarray) -> np.ndarray:
    """Give one number per row, in the order of run and epoch; epochs are below 2³²."""
    keys: np.ndarray = (index_N.astype(np.int64) << 32) + epoch_N
    return keys


def _bits(values_N: np.ndarray) -> np.ndarray:
    """Give the bits of values. All NaNs are equal; −0.0 and 0.0 are not."""
    return np.where(np.isnan(values_N), np.nan, values_N).view(np.uint64)

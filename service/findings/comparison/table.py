"""What was measured of every setting: tables with a row per setting and a column per seed and start."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.curves import area_under_curve, epochs_to_target
from service.analysis.paths import Path, trace
from service.analysis.summaries import medians
from service.database.reading import read_last
from service.database.tables import Job
from service.findings.comparison.rows import Portion, read_outcomes, read_portions
from service.spec.job import JobSpec
from service.spec.runs import Runs

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
# Settings that get an entry each; of more, every label's best one does.
MAX_EACH = 20
# Runs whose paths are looked at, setting by setting from the first pair on: one by one, a path takes 0.1 ms.
MAX_PATHS = 2_000
# What the last row may tell besides the loss, and what a run that diverged counts for there.
LAST_FIELDS = {"test_loss": np.inf, "accuracy": 0.0, "test_accuracy": 0.0}


@dataclass(frozen=True)
class Setting:
    """One setting: where it stands in the spec."""

    row: int
    entry: int
    number: int
    label: str
    optimizer: dict[str, Any]


@dataclass
class Table:
    """All settings of a job, S rows, with one column for each of N pairs of seed and start."""

    runs: Runs
    recorded_SN: Bools
    ended_SN: Bools
    diverged_SN: Bools
    epochs_SN: NDArray[np.int64]
    final_SN: Floats
    best_SN: Floats
    seeds_matter: bool
    last: dict[str, Floats] = field(default_factory=dict)
    area_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    start_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    first_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    settled_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    clipped_SN: Floats = field(default_factory=lambda: np.empty((0, 0)))
    paths: dict[int, dict[int, Path]] = field(default_factory=dict)

    @property
    def num_settings(self) -> int:
        """Count the rows."""
        return len(self.final_SN)

    def median_final(self) -> Floats:
        """Give every setting's median final loss, NaN where nothing is recorded."""
        return medians(np.where(self.recorded_SN, self.final_SN, np.nan))

    def setting(self, row: int) -> Setting:
        """Say what a row stands for."""
        runs = self.runs
        entry = int(np.searchsorted(runs.firsts, row * runs.per_setting, side="right")) - 1
        number = row - runs.firsts[entry] // runs.per_setting
        settings = runs.entries[entry]
        return Setting(row, entry, number, settings.label(number), settings.optimizer(number))

    def rows_of(self, entry: int) -> range:
        """List the rows of an entry of the spec's optimizers."""
        per = self.runs.per_setting
        return range(self.runs.firsts[entry] // per, self.runs.firsts[entry + 1] // per)

    def shown(self) -> list[int]:
        """Choose the rows that are compared: all if they are few, else the best of each label by median final loss."""
        if self.num_settings <= MAX_EACH:
            return list(range(self.num_settings))
        return [self.best_of(entry) for entry in range(len(self.runs.entries))]

    def best_of(self, entry: int) -> int:
        """Find the row of an entry with the smallest median final loss; the first one if nothing is recorded."""
        rows = self.rows_of(entry)
        found = self.median_final()[rows.start : rows.stop]
        return rows.start + int(np.where(np.isnan(found), np.inf, found).argmin())


def read_table(session: Session, job: Job, spec: JobSpec) -> Table:
    """Read how all runs stand. Where seeds change nothing, only the first one is kept: copies are no evidence."""
    runs = Runs(spec)
    found = read_outcomes(session, job)
    shape = (len(runs) // runs.per_setting, runs.num_seeds, runs.num_starts)
    final = found.final_R.reshape(shape)
    recorded = found.recorded_R.reshape(shape)
    known = np.where(recorded, final, -1.0)
    seeds_matter = runs.num_seeds == 1 or not bool((known == known[:, :1]).all() and recorded.any())
    seeds = runs.num_seeds if seeds_matter else 1

    def in_columns(column_R: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(column_R.reshape(shape)[:, :seeds].reshape(shape[0], -1))

    table = Table(
        runs=runs,
        recorded_SN=in_columns(found.recorded_R),
        ended_SN=in_columns(found.ended_R),
        diverged_SN=in_columns(found.diverged_R),
        epochs_SN=in_columns(found.epochs_R),
        final_SN=in_columns(found.final_R),
        best_SN=in_columns(found.best_R),
        seeds_matter=seeds_matter,
    )
    fields = [name for name in LAST_FIELDS if name in spec.problem.fields]
    for name, column_R in read_last(session, job, fields).items():
        values_SN = _columns(table, column_R)
        lost_SN = table.diverged_SN & ~np.isfinite(values_SN)
        table.last[name] = np.where(lost_SN, LAST_FIELDS[name], values_SN)
    return table


def read_curves(session: Session, job: Job, spec: JobSpec, table: Table, target: float | None) -> None:
    """Read all histories once, and note what each curve says."""
    num = len(table.runs)
    area_R, start_R, clipped_R = np.full(num, np.nan), np.full(num, np.nan), np.full(num, np.nan)
    first_R, settled_R = np.full(num, np.inf), np.full(num, np.inf)
    limits = [entry.clip_norm for entry in spec.optimizers]
    fields = ["grad_norm"] if any(limits) else []
    axes = ["x", "y"][: spec.problem.num_parameters] if spec.problem.num_parameters <= 2 else []
    with_paths = _with_paths(table) if axes else set()
    rows_per_run = spec.rows_per_run
    for portion in read_portions(session, job, rows_per_run, [*fields, *axes]):
        curves, index_R = portion.curves, portion.index_R
        area_R[index_R] = area_under_curve(curves)
        start_R[index_R] = curves.loss_P[curves.first_R]
        if target is not None:
            first_R[index_R], settled_R[index_R] = epochs_to_target(curves, target)
        if fields:
            clipped_R[index_R] = _clipped(portion, limits, table)
        for at in np.flatnonzero(np.isin(index_R, list(with_paths))).tolist() if with_paths else ():
            points = slice(int(curves.first_R[at]), int(curves.last_R[at]) + 1)
            points_ED = np.stack([portion.columns[axis][points] for axis in axes], axis=1)
            row, column = divmod(int(index_R[at]), table.runs.per_setting)
            table.paths.setdefault(row, {})[column] = trace(points_ED, minima_of(spec))
    table.area_SN = np.where(table.diverged_SN, np.inf, _columns(table, area_R))
    table.start_SN, table.clipped_SN = _columns(table, start_R), _columns(table, clipped_R)
    table.first_SN, table.settled_SN = _columns(table, first_R), _columns(table, settled_R)


def minima_of(spec: JobSpec) -> Floats:
    """List the known minima, where a landscape that moves has them at the end, [M, D]."""
    dimension = spec.problem.num_parameters
    minima = np.array(getattr(spec.problem, "minima", ()), dtype=np.float64).reshape(-1, dimension)
    shift = getattr(spec.problem, "shift_by", None)
    moves = shift is not None and (spec.problem.shift_at or 0) <= spec.epochs  # type: ignore[union-attr]
    return minima + np.array(shift) if moves else minima


def _columns(table: Table, values_R: Floats) -> Floats:
    """Bring values by run into the table's shape."""
    return values_R.reshape(table.num_settings, -1)[:, : table.final_SN.shape[1]]


def _with_paths(table: Table) -> set[int]:
    """Choose the runs whose paths are looked at."""
    shown = table.shown()
    columns = min(table.final_SN.shape[1], max(1, MAX_PATHS // len(shown)))
    return {row * table.runs.per_setting + column for row in shown for column in range(columns)}


def _clipped(portion: Portion, limits: list[float | None], table: Table) -> Floats:
    """Give the share of recorded rows whose full gradient was longer than the limit; NaN without a limit."""
    entry_R = np.searchsorted(table.runs.firsts, portion.index_R, side="right") - 1
    limit_R = np.array([np.nan if limit is None else limit for limit in limits])[entry_R]
    length_R = np.diff(portion.curves.first_R, append=len(portion.curves.epoch_P))
    above_P = portion.columns["grad_norm"] > np.repeat(limit_R, length_R)
    share_R = np.add.reduceat(above_P.astype(np.float64), portion.curves.first_R) / length_R
    return np.where(np.isnan(limit_R), np.nan, share_R)

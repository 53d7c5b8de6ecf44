"""Reading of the table of a job: outcomes of all runs, and a few numbers of each history."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.curves import Curves, area_under_curve, epochs_to_target
from service.analysis.paths import trace
from service.analysis.replicates import distinct
from service.database.reading import read, read_last
from service.database.spans import Span
from service.database.tables import Job
from service.findings.comparison.places import by_index, chosen_rows, indices
from service.findings.comparison.rows import Portion, read_outcomes, read_portions
from service.findings.comparison.table import Floats, Integers, Table
from service.jobs.specs import runs_of
from service.spec.job import JobSpec
from service.spec.runs import Runs

# Runs whose paths are traced, setting by setting from the first seed on: one path takes 0.1 ms.
MAX_PATHS = 2_000
# Values of the last row besides the loss, and what a diverged run counts there.
LAST_FIELDS = {"validation_loss": np.inf, "test_loss": np.inf, "accuracy": 0.0, "test_accuracy": 0.0}


def read_table(session: Session, job: Job, spec: JobSpec, only: Sequence[int] | None = None) -> Table:
    """Read how all runs stand; of seeds whose histories are equal in every run only the first is kept.

    Args:
        session: Read from here.
        job: Which job.
        spec: Its spec.
        only: Entries to read, in this order, as if the job had no others; by default all.
    """
    whole = runs_of(job)
    runs = whole
    if only is not None:
        chosen = spec.model_copy(update={"optimizers": [spec.optimizers[entry] for entry in only]})
        runs = Runs(chosen, whole.num_seeds if spec.decide else None)
    entries = range(len(whole.entries)) if only is None else only
    index_SP = indices(whole, [row for entry in entries for row in range(*whole.firsts[entry : entry + 2])])
    found = read_outcomes(session, job)
    digest_SP = by_index(found.digest_R, index_SP, 0)
    distinct_J = distinct(digest_SP.reshape(-1, runs.num_seeds, runs.num_starts))
    run_N = (distinct_J[:, None] * runs.num_starts + np.arange(runs.num_starts)).reshape(-1)

    def columns(values_R: NDArray[Any], missing: Any) -> NDArray[Any]:
        return by_index(values_R, index_SP[:, run_N], missing)

    larger_is_better = spec.optimizers[0].maximize
    worst = -np.inf if larger_is_better else np.inf
    table = Table(
        runs=runs,
        distinct=distinct_J,
        run_N=run_N,
        recorded_SN=columns(found.recorded_R, False),
        ended_SN=columns(found.ended_R, True),
        diverged_SN=columns(found.diverged_R, False),
        epochs_SN=columns(found.epochs_R, 0),
        final_SN=columns(np.where(found.diverged_R, worst, found.final_R), np.nan),
        best_SN=columns(np.where(np.isfinite(found.best_R), found.best_R, worst), worst),
        index_SP=index_SP,
        chosen=chosen_rows(whole, entries),
        digest_SN=digest_SP[:, run_N],
        larger_is_better=larger_is_better,
    )
    fields = [name for name in LAST_FIELDS if name in spec.problem.fields]
    for name, column_R in read_last(session, job, fields).items():
        values_SN = table.columns(column_R)
        lost_SN = table.diverged_SN & ~np.isfinite(values_SN)
        table.last[name] = np.where(lost_SN, LAST_FIELDS[name], values_SN)
    first, end = int(index_SP[0, 0]), int(index_SP[0].max()) + 1
    rows = read(session, job.key, Span(first, end, 0, 1), ["loss", *fields])
    for name, values_N in zip(rows.columns, rows.values_CN, strict=True):
        start_R = np.full(end - first, np.nan)
        start_R[rows.index_N - first] = values_N
        table.at_start[name] = by_index(start_R, np.maximum(index_SP[0, run_N] - first, -1), np.nan)
    return table


def read_curves(
    session: Session, job: Job, spec: JobSpec, table: Table, target: float | None, ladder: list[float], shown: list[int]
) -> None:
    """Read all histories once, and keep a few numbers of each curve.

    Args:
        session: Read from here.
        job: Which job.
        spec: Its spec.
        table: The numbers are stored here.
        target: Loss to reach.
        ladder: Further losses to reach.
        shown: Rows that are compared; paths and the ladder are those of their runs.
    """
    num, runs = len(table.runs), table.runs
    area_R, clipped_R = np.full(num, np.nan), np.full(num, np.nan)
    first_R, settled_R = np.full(num, np.inf), np.full(num, np.inf)
    ladder_by_row = {row: np.full((runs.per_setting, len(ladder)), np.inf) for row in shown}
    sign = -1.0 if table.larger_is_better else 1.0
    limits = [entry.clip_norm for entry in spec.optimizers]
    fields = ["grad_norm"] if any(limits) else []
    axes = ["x", "y"][: spec.problem.num_parameters] if spec.problem.num_parameters <= 2 else []
    traced = _traced(table, shown) if axes else {}
    for portion in read_portions(session, job, spec.rows_per_run, [*fields, *axes]):
        curves, index_R = portion.curves, portion.index_R
        area_R[index_R] = area_under_curve(curves)
        falling = curves if sign > 0 else Curves(curves.first_R, curves.epoch_P, -curves.loss_P)
        if target is not None:
            first_R[index_R], settled_R[index_R] = epochs_to_target(falling, sign * target)
        row_R, seed_R, start_R = runs.layout.places(index_R)
        run_R = seed_R * runs.num_starts + start_R
        if inside := ladder_by_row.keys() & set(row_R.tolist()):
            for step, loss in enumerate(ladder):
                reached_R = epochs_to_target(falling, sign * loss)[0]
                for row in inside:
                    ladder_by_row[row][run_R[row_R == row], step] = reached_R[row_R == row]
        if fields:
            clipped_R[index_R] = clipped(portion, limits, table, row_R)
        for at in np.flatnonzero(np.isin(index_R, list(traced))).tolist() if traced else ():
            points = slice(int(curves.first_R[at]), int(curves.last_R[at]) + 1)
            points_ED = np.stack([portion.columns[axis][points] for axis in axes], axis=1)
            row, column = traced[int(index_R[at])]
            table.paths.setdefault(row, {})[column] = trace(points_ED, minima_of(spec))
    table.area_SN = np.where(table.diverged_SN, sign * np.inf, table.columns(area_R))
    table.clipped_SN = table.columns(clipped_R)
    table.first_SN, table.settled_SN = table.columns(first_R, np.inf), table.columns(settled_R, np.inf)
    table.ladder = {row: of_run[table.run_N] for row, of_run in ladder_by_row.items()}


def minima_of(spec: JobSpec) -> Floats:
    """List the known minima, where a landscape that moves has them at the end, [M, D]."""
    dimension = spec.problem.num_parameters
    minima = np.array(getattr(spec.problem, "minima", ()), dtype=np.float64).reshape(-1, dimension)
    shift = getattr(spec.problem, "shift_by", None)
    moves = shift is not None and (spec.problem.shift_at or 0) <= spec.epochs  # type: ignore[union-attr]
    return minima + np.array(shift) if moves else minima


def _traced(table: Table, shown: list[int]) -> dict[int, tuple[int, int]]:
    """Choose the runs whose paths are traced: index → row and column."""
    run_N = table.run_N[: max(1, MAX_PATHS // len(shown))]
    return {
        index: (row, column)
        for row in shown
        for column, index in enumerate(table.index_SP[row, run_N].tolist())
        if index >= 0
    }


def clipped(portion: Portion, limits: list[float | None], table: Table, row_R: Integers) -> Floats:
    """Give the share of recorded rows whose full gradient was longer than the limit; NaN without a limit."""
    entry_R = np.searchsorted(table.runs.firsts, row_R, side="right") - 1
    limit_R = np.array([np.nan if limit is None else limit for limit in limits])[entry_R]
    length_R = np.diff(portion.curves.first_R, append=len(portion.curves.epoch_P))
    above_P = portion.columns["grad_norm"] > np.repeat(limit_R, length_R)
    share_R = np.add.reduceat(above_P.astype(np.float64), portion.curves.first_R) / length_R
    return np.where(np.isnan(limit_R), np.nan, share_R)

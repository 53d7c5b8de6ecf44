"""Numbers over two hyper-parameters of a grid: medians over runs, the best over all other hyper-parameters."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from service.analysis.summaries import medians
from service.database.reading import first_epochs
from service.database.spans import Span
from service.database.tables import Job
from service.errors import Rejected
from service.findings.comparison.table import Table
from service.spec.entry_settings import EntrySettings
from service.spec.job import JobSpec

Floats = NDArray[np.float64]
Value = Literal["final_loss", "epochs_to_target", "diverged"]
# Looking for the first epoch below a target reads all rows of the entry: about a second for so many.
MAX_ROWS = 3_000_000


@dataclass(frozen=True)
class Wanted:
    """Which value over which two hyper-parameters of which entry; what is None is chosen."""

    value: Value = "final_loss"
    label: str | None = None
    x: str | None = None
    y: str | None = None
    target: float | None = None


@dataclass(frozen=True)
class HeatMap:
    """Values over two axes, [Y, X]: infinite where most runs diverged or missed the target, NaN where none is known.

    A cell stands for one setting, the best over all other hyper-parameters, whose runs begin at ``first_run_YX``.
    """

    label: str
    x_name: str
    y_name: str
    x: Floats
    y: Floats
    values: Floats
    first_run_YX: NDArray[np.int64]
    others: tuple[str, ...]
    num_runs: int
    target: float | None


def read_heat_map(session: Session, job: Job, spec: JobSpec, table: Table, wanted: Wanted) -> HeatMap:
    """Read what a heat map shows.

    Raises:
        Rejected: No entry has a grid of two, or what was asked for is not on an axis of it.
    """
    number, settings = _entry(table, wanted.label)
    x_name, y_name = _axes(settings.varying, wanted, str(settings.entry.label))
    rows = table.rows_of(number)
    target = wanted.target if wanted.target is not None else spec.target_loss
    values_SN = _values(session, job, spec, table, rows, wanted, target)
    known_SN = table.recorded_SN[rows.start : rows.stop]
    if wanted.value == "diverged":
        with np.errstate(invalid="ignore"):
            value_S = np.where(known_SN, values_SN, 0.0).sum(axis=1) / known_SN.sum(axis=1)
    else:
        value_S = medians(np.where(known_SN, values_SN, np.nan))
    order = [settings.axis_of(y_name), settings.axis_of(x_name)]
    rest = [at for at in range(len(settings.axes)) if at not in order]

    def by_cell(column_S: NDArray[Any]) -> NDArray[Any]:
        cube = np.transpose(column_S.reshape(settings.shape), [*order, *rest])
        return cube.reshape(*cube.shape[:2], -1)

    cells_YXO = by_cell(value_S)
    # What is not known yet is no better than what diverged, and the first of equals is shown.
    best_YX = np.where(np.isnan(cells_YXO), np.inf, cells_YXO).argmin(axis=2)[:, :, None]
    first_run_S = table.index_SP[rows.start : rows.stop, 0]
    values_YX = np.take_along_axis(cells_YXO, best_YX, axis=2)[:, :, 0]
    return HeatMap(
        label=str(settings.entry.label),
        x_name=x_name,
        y_name=y_name,
        x=settings.values_of(x_name),
        y=settings.values_of(y_name),
        values=np.where(np.isnan(cells_YXO).all(axis=2), np.nan, np.where(np.isnan(values_YX), np.inf, values_YX)),
        first_run_YX=np.take_along_axis(by_cell(first_run_S), best_YX, axis=2)[:, :, 0],
        others=tuple(name for name in settings.varying if settings.axis_of(name) in rest),
        num_runs=len(table.run_N),
        target=target,
    )


def _entry(table: Table, label: str | None) -> tuple[int, EntrySettings]:
    grids = {number: one for number, one in enumerate(table.runs.entries) if sum(n > 1 for n in one.shape) >= 2}
    named = [str(one.entry.label) for one in grids.values()]
    if not grids:
        sentence = "a grid needs an optimizer with lists or ranges for two hyper-parameters; this job has none"
        raise Rejected.at("query", "label", sentence)
    if label is None:
        return next(iter(grids.items()))
    for number, one in grids.items():
        if one.entry.label == label:
            return number, one
    sentence = f"no optimizer with a grid of two is labelled {label!r}; there are {', '.join(named)}"
    raise Rejected.at("query", "label", sentence)


def _axes(axes: list[str], wanted: Wanted, label: str) -> tuple[str, str]:
    """Choose the two axes: the learning rate to the right, unless something else is asked for."""
    for place, name in {"x": wanted.x, "y": wanted.y}.items():
        if name is not None and name not in axes:
            sentence = f"{label} has no grid over {name!r}; there are {', '.join(axes)}"
            raise Rejected.at("query", place, sentence)
    free = [name for name in sorted(axes, key=lambda name: name != "lr") if name not in {wanted.x, wanted.y}]
    x_name = wanted.x or free.pop(0)
    y_name = wanted.y or free.pop(0)
    if x_name == y_name:
        sentence = f"the two axes must differ; there are {', '.join(axes)}"
        raise Rejected.at("query", "y", sentence)
    return x_name, y_name


def _values(
    session: Session, job: Job, spec: JobSpec, table: Table, rows: range, wanted: Wanted, target: float | None
) -> Floats:
    """Give the value of each run, [settings, runs]."""
    span = slice(rows.start, rows.stop)
    if wanted.value == "final_loss":
        return table.final_SN[span]
    if wanted.value == "diverged":
        return table.diverged_SN[span].astype(np.float64)
    if target is None:
        sentence = "epochs_to_target needs a target: the job has no target_loss"
        raise Rejected.at("query", "target", sentence)
    index_SP = table.index_SP[span]
    num_rows = index_SP.size * spec.rows_per_run
    if num_rows > MAX_ROWS:
        sentence = f"epochs_to_target would read {num_rows:,} rows; at most {MAX_ROWS:,} are allowed: take final_loss"
        raise Rejected.at("query", "value", sentence)
    first = int(index_SP[index_SP >= 0].min())
    epochs_R = first_epochs(session, job.key, Span(first, int(index_SP.max()) + 1), target)
    index_SN = index_SP[:, table.run_N]
    return np.asarray(np.where(index_SN < 0, np.nan, epochs_R[np.maximum(index_SN - first, 0)]))

"""How histories are read: the fields of one run or of many, in columns, thinned where a client asks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from service.analysis.thinning import thin
from service.database.epochs import within
from service.database.tables import Job, Metric
from service.errors import Rejected
from service.spec.job import JobSpec
from service.spec.measures import MEASURES

FIELDS = (
    "loss",
    "train_loss",
    "test_loss",
    "accuracy",
    "test_accuracy",
    "grad_norm",
    "update_norm",
    "distance_from_start",
    "distance_to_minimum",
    "lr",
    "momentum",
    "position",
    *MEASURES,
)
# Points that one page of many runs holds at most, so that an answer stays within a few tens of megabytes.
MAX_PAGE_POINTS = 200_000


@dataclass(frozen=True)
class Selection:
    """What of a history is wanted."""

    fields: tuple[str, ...]
    dimension: int
    from_epoch: int = 0
    to_epoch: int | None = None
    max_points: int | None = None

    @property
    def columns(self) -> list[str]:
        """Name the table's columns; a position is stored as x and y."""
        names: list[str] = []
        for field in self.fields:
            names += ["x", "y"][: self.dimension] if field == "position" else [field]
        return names


def select_fields(spec: JobSpec, written: str | None, **limits: Any) -> Selection:
    """Read the query ``fields=loss,grad_norm``; by default all that the problem has, and what was measured on request.

    Raises:
        Rejected: A name is unknown.
    """
    fields = (*spec.problem.fields, *spec.measure) if written is None else tuple(dict.fromkeys(written.split(",")))
    for field in fields:
        if field not in FIELDS:
            sentence = f"there is no field {field!r}; there are {', '.join(FIELDS)}"
            raise Rejected.at("query", "fields", sentence)
    return Selection(fields=fields, dimension=min(2, spec.problem.num_parameters), **limits)


def histories(session: Session, job: Job, indices: Iterable[int], selection: Selection) -> Iterator[dict[str, Any]]:
    """Read the histories of some runs, sorted by index: ``{"index", "epoch": […], "loss": […], …, "total_points"}``.

    NaN and ±Infinity stay what the database gives: numbers, or the text 'NaN' (SQLite). Runs without rows are left out.
    """
    wanted = sorted(set(indices))
    if not wanted:
        return
    rows = session.execute(rows_of(job.key, wanted, selection))
    for index, of_run in groupby(rows, key=itemgetter(0)):
        kept = [tuple(row) for row in of_run]
        total = len(kept)
        if selection.max_points is not None and total > selection.max_points:
            # The loss decides where it is among the fields; a picture of anything else keeps the extremes of that.
            numbers = np.array([row[2:] for row in kept], dtype=np.float64).reshape(total, -1)
            kept = [kept[at] for at in thin(list(numbers.T), total, selection.max_points)]
        counts = {"total_points": total, "returned_points": len(kept)}
        yield {"index": index, **in_columns(kept, selection), **counts}


def rows_of(job_key: int, wanted: list[int], selection: Selection) -> Select[Any]:
    """Select the rows of runs, given by sorted indices: run, epoch, and a value for each of the selection's columns."""
    query = select(Metric.run_index, Metric.epoch, *(getattr(Metric, name) for name in selection.columns)).where(
        Metric.job_key == job_key, *within(selection.from_epoch, selection.to_epoch)
    )
    if wanted[-1] - wanted[0] + 1 == len(wanted):
        query = query.where(Metric.run_index >= wanted[0], Metric.run_index <= wanted[-1])
    else:
        query = query.where(Metric.run_index.in_(wanted))
    return query.order_by(Metric.run_index, Metric.epoch)


def in_columns(rows: list[tuple[Any, ...]], selection: Selection) -> dict[str, Any]:
    """Turn the rows of one run into a column for the epoch and one per field."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in (0, 1, *selection.columns)]
    named: dict[str, Any] = {"epoch": columns[1]}
    at = 2
    for field in selection.fields:
        if field == "position":
            named[field] = [list(point) for point in zip(*columns[at : at + selection.dimension], strict=True)]
            at += selection.dimension
        else:
            named[field] = columns[at]
            at += 1
    return named

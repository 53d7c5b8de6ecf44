"""Fields of histories: which ones a client selects, and whole histories as lists of Python."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service.database.reading import read
from service.database.spans import ALL_EPOCHS, Span, joined
from service.database.tables import Job
from service.errors import Rejected
from service.spec.job import JobSpec
from service.spec.metric_fields import FIELDS

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
            names += FIELDS[field].columns[: self.dimension] or [field]
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
    """Read the histories of some runs, sorted by index: ``{"index", "epoch": […], "loss": […], …}``.

    A value that was not measured is None. Runs without rows are left out.
    """
    end_epoch = ALL_EPOCHS if selection.to_epoch is None else selection.to_epoch + 1
    spans = [Span(index, index + 1, selection.from_epoch, end_epoch) for index in sorted(set(indices))]
    for span in joined(spans):
        rows = read(session, job.key, span, selection.columns)
        values_CN = rows.values_CN.astype(object)
        values_CN[rows.null_CN] = None
        epochs, columns = rows.epoch_N.tolist(), values_CN.tolist()
        for index, first, last in rows.runs():
            of_run = (column[first:last] for column in columns)
            history: dict[str, Any] = {"index": index, "epoch": epochs[first:last]}
            for field in selection.fields:
                if field == "position":
                    axes = [next(of_run) for _ in range(selection.dimension)]
                    history[field] = [list(point) for point in zip(*axes, strict=True)]
                else:
                    history[field] = next(of_run)
            yield history

"""Spans: ranges of runs and epochs to read, which are joined, or divided into pieces of bounded size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

# Larger than every epoch of an integer column.
ALL_EPOCHS = 2**31 - 1


@dataclass(frozen=True)
class Span:
    """Rows of a job: runs from ``first_run`` to before ``end_run``, epochs from ``first_epoch`` to before the end."""

    first_run: int
    end_run: int
    first_epoch: int = 0
    end_epoch: int = ALL_EPOCHS


def joined(spans: Sequence[Span]) -> Iterator[Span]:
    """Join adjacent spans of the same epochs, and omit empty ones."""
    waiting: Span | None = None
    for span in spans:
        if span.first_run >= span.end_run or span.first_epoch >= span.end_epoch:
            continue
        if waiting is not None and replace(waiting, first_run=waiting.end_run, end_run=span.end_run) == span:
            waiting = replace(waiting, end_run=span.end_run)
            continue
        if waiting is not None:
            yield waiting
        waiting = span
    if waiting is not None:
        yield waiting


def rows_of_run(span: Span, record_every: int) -> int:
    """Give an upper bound of the rows of one run in a span: every n-th epoch, the first and the last."""
    return min(span.end_epoch - span.first_epoch, (span.end_epoch - span.first_epoch) // record_every + 2)


def windows(span: Span, record_every: int, max_rows: int) -> Iterator[Span]:
    """Divide a span into windows of at most ``max_rows`` rows, sorted by run and epoch."""
    per_run = rows_of_run(span, record_every)
    if per_run <= max_rows:
        together = max_rows // per_run
        for first in range(span.first_run, span.end_run, together):
            yield replace(span, first_run=first, end_run=min(first + together, span.end_run))
        return
    step = (max_rows - 2) * record_every
    for run in range(span.first_run, span.end_run):
        for first in range(span.first_epoch, span.end_epoch, step):
            yield Span(run, run + 1, first, min(first + step, span.end_epoch))

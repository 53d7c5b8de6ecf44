"""Selection of runs by the queries ``labels=`` and ``runs=``."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Annotated

from pydantic import Field

from service.database.ids import split_run_id
from service.database.spans import Span
from service.errors import Rejected
from service.spec.fields import NO_ZERO_CHARACTER
from service.spec.runs import Runs

# The query ``labels=``, which may be repeated.
LABELS = (
    "Only runs of these labels. May be repeated; a value that is no label as a whole is a list of labels, "
    "comma-separated."
)
Labels = Annotated[list[Annotated[str, Field(max_length=5_000, pattern=NO_ZERO_CHARACTER)]], Field(max_length=1_000)]
# Most labels in an error.
_MAX_LISTED = 20
# Digits of the largest 64-bit integer; no job has as many runs.
_MAX_DIGITS = 19
# Runs from the first to before the last.
RunRange = tuple[int, int]


def chosen_runs(job_id: str, runs: Runs, labels: Sequence[str] | None, names: str | None) -> list[RunRange]:
    """Read the queries ``labels=`` and ``runs=``; by default all runs. Sorted, no duplicates.

    Raises:
        Rejected: The job has no such label or run.
    """
    ranges = [(0, len(runs))]
    if labels is not None:
        ranges = _sorted(labelled_runs(runs, labels))
    if names is None:
        return ranges
    indices = {_run_index(job_id, runs, one.strip()) for one in names.split(",")}
    return _sorted((at, at + 1) for at in indices if any(first <= at < end for first, end in ranges))


def labelled_runs(runs: Runs, labels: Sequence[str]) -> Iterator[RunRange]:
    """Give the runs of labels, in the order of the query: a value is a label, or else labels separated by commas.

    Raises:
        Rejected: No run has such a label.
    """
    for value in labels:
        if spans := list(runs.labelled(value)):
            yield from spans
            continue
        for part in value.split(","):
            yield from list(runs.labelled(part)) or runs_with_label(runs, part.strip(), "labels")


def runs_with_label(runs: Runs, label: str, parameter: str) -> list[RunRange]:
    """Give the runs of one label, which a parameter of the query names.

    Raises:
        Rejected: No run has this label.
    """
    if not (spans := list(runs.labelled(label))):
        raise Rejected.at("query", parameter, _no_label(runs, label))
    return spans


def _no_label(runs: Runs, label: str) -> str:
    labels = [str(settings.entry.label) for settings in runs.entries]
    known = ", ".join(labels[:_MAX_LISTED])
    known += f" and {len(labels) - _MAX_LISTED} more" if len(labels) > _MAX_LISTED else ""
    return f"there is no label {label!r}; there are {known}, and labels of single settings as in the runs"


def indices_from(ranges: Iterable[RunRange], first: int, count: int) -> list[int]:
    """List the first ``count`` indices of sorted ranges, from ``first`` on."""
    return list(islice(chain.from_iterable(range(max(first, begin), end) for begin, end in ranges), count))


def _run_index(job_id: str, runs: Runs, written: str) -> int:
    """Read one item of ``runs=``: the id or the index of a run.

    Raises:
        Rejected: The job has no such run.
    """
    if written.isascii() and written.isdecimal():
        # Python converts no more than 4,300 digits.
        index = int(written) if len(written) <= _MAX_DIGITS else -1
    else:
        owner, index = split_run_id(written)
        if owner != job_id:
            index = -1
    if not 0 <= index < len(runs):
        sentence = f"there is no run {_shortened(written)!r} in this job"
        raise Rejected.at("query", "runs", f"{sentence}; its runs have the indices 0 to {len(runs) - 1}")
    return index


def _shortened(written: str) -> str:
    return written if len(written) <= 40 else f"{written[:40]}…"


def inside(ranges: list[RunRange], span: Span) -> list[Span]:
    """Give the parts of a span that contain these runs."""
    return [
        Span(max(first, span.first_run), min(end, span.end_run), span.first_epoch, span.end_epoch)
        for first, end in ranges
        if first < span.end_run and end > span.first_run
    ]


def _sorted(ranges: Iterable[RunRange]) -> list[RunRange]:
    """Sort ranges, and join those that touch or overlap."""
    joined: list[RunRange] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((first, end))
    return joined

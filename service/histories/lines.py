"""Histories as lines of text: CSV and NDJSON, one line per run and epoch.

Each line begins with the run, which is formatted once per run. Numbers are formatted column by column, then joined.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import repeat

import orjson

from service.database.ids import run_id
from service.database.reading import MetricColumns
from service.histories.csv_lines import BYTE_ORDER_MARK, csv_line, guarded
from service.histories.numbers import CSV, JSON, integers, texts
from service.spec.runs import Runs

NAMES = ("run_id", "label", "seed", "index", "epoch")


def csv_lines(
    pieces: Iterable[MetricColumns], columns: Iterable[str], job_id: str, runs: Runs, *, excel: bool = False
) -> Iterator[bytes]:
    """Write CSV (RFC 4180) with a header; a value that was not measured is empty. ``excel``: for spreadsheets."""

    def line_start(index: int) -> str:
        run = runs[index]
        label = guarded(run.label) if excel else run.label
        return csv_line([run_id(job_id, index), label, run.seed, index])

    yield (BYTE_ORDER_MARK if excel else b"") + csv_line([*NAMES, *columns]).encode() + b"\n"
    for rows in pieces:
        written = [integers(rows.epoch_N), *_columns(rows, CSV)]
        lines: list[str] = []
        for index, first, last in rows.runs():
            lines += map(",".join, zip(repeat(line_start(index)), *(column[first:last] for column in written)))
        yield ("\n".join(lines) + "\n").encode()


def ndjson_lines(
    pieces: Iterable[MetricColumns], fields: Iterable[str], dimension: int, job_id: str, runs: Runs
) -> Iterator[bytes]:
    """Write an object per line, with the field names of the JSON answer; a position is an array."""
    point = "[" + ",".join(["%s"] * dimension) + "]"
    values = "".join(f',"{field}":{point if field == "position" else "%s"}' for field in fields)

    def template(index: int) -> str:
        run = runs[index]
        named = {"run_id": run_id(job_id, index), "label": run.label, "seed": run.seed, "index": index}
        return orjson.dumps(named).decode()[:-1].replace("%", "%%") + ',"epoch":%s' + values + "}"

    for rows in pieces:
        written = [integers(rows.epoch_N), *_columns(rows, JSON)]
        lines: list[str] = []
        for index, first, last in rows.runs():
            write: Callable[[tuple[str, ...]], str] = template(index).__mod__
            lines += map(write, zip(*(column[first:last] for column in written), strict=True))
        yield ("\n".join(lines) + "\n").encode()


def _columns(rows: MetricColumns, words: tuple[str, str, str, str]) -> list[list[str]]:
    return [texts(values_N, null_N, words) for values_N, null_N in zip(rows.values_CN, rows.null_CN, strict=True)]

"""Runs as CSV, NDJSON and Parquet: one row per run, named as pandas.json_normalize would name the JSON answer."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from service.histories.lines import csv_line
from service.histories.parquet import write_tables
from service.spec.runs import Runs

if TYPE_CHECKING:
    import pyarrow as pa

# A row of the JSON answer, its numbers as they are: NaN and infinities are floats.
Row = dict[str, Any]


def columns_of(runs: Runs) -> dict[str, type]:
    """Name the columns of a table of runs, each with its type; the hyper-parameters are those of all optimizers."""
    hyper: dict[str, type] = {}
    for settings in runs.entries:
        for name, value in _flat("optimizer", settings.optimizer(0)).items():
            kind = float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)
            known = hyper.get(name, type(None))
            if value is not None:
                hyper[name] = kind if known in (type(None), kind) else str
            else:
                hyper.setdefault(name, type(None))
    hyper = {name: kind if kind in (bool, float) else str for name, kind in hyper.items()}
    return {
        "id": str, "job_id": str, "index": int, "label": str, **hyper, "seed": int, "start": list, "status": str,
        "epochs_done": int, "final_loss": float, "best_loss": float, "best_epoch": int, "diverged_epoch": int,
    }  # fmt: skip


def csv_rows(pages: Iterable[list[Row]], columns: dict[str, type]) -> Iterator[bytes]:
    """Write CSV with a header."""
    yield csv_line(columns).encode() + b"\n"
    for page in pages:
        lines = [csv_line(_csv(value) for value in _cells(row, columns)) + "\n" for row in page]
        yield "".join(lines).encode()


def ndjson_rows(pages: Iterable[list[Row]]) -> Iterator[bytes]:
    """Write the objects of the JSON answer, one per line."""
    for page in pages:
        yield "".join(json.dumps(_told(row), separators=(",", ":"), ensure_ascii=False) + "\n" for row in page).encode()


def parquet_rows(pages: Iterable[list[Row]], columns: dict[str, type]) -> Iterator[bytes]:
    """Write a Parquet file; a start is a list of numbers there."""
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), list: pa.list_(pa.float64())}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])

    def tables() -> Iterator["pa.Table"]:
        for page in pages:
            cells = list(zip(*(_cells(row, columns) for row in page), strict=True))
            # None alone is null: a NaN among Python's floats is one.
            arrays = [
                pa.array(column, field.type, from_pandas=False) for column, field in zip(cells, schema, strict=True)
            ]
            yield pa.Table.from_arrays(arrays, schema=schema)

    return write_tables(schema, tables())


def _cells(row: Row, columns: dict[str, type]) -> list[Any]:
    flat = {**row, **_flat("optimizer", row["optimizer"])}
    return [_cell(flat.get(name), kind) for name, kind in columns.items()]


def _cell(value: Any, kind: type) -> Any:
    if value is None or (kind is str and isinstance(value, str)) or kind is list:
        return value
    return json.dumps(value) if kind is str else kind(value)


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    """Name what is nested by its place: optimizer.schedule.kind."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {name: leaf for key, inner in value.items() for name, leaf in _flat(f"{prefix}.{key}", inner).items()}


def _csv(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value) if isinstance(value, list) else value


def _told(value: Any) -> Any:
    """Write what is not finite as JSON can."""
    if isinstance(value, dict):
        return {name: _told(inner) for name, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value

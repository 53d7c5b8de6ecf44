"""Runs as CSV, NDJSON and Parquet: one row per run, with the column names of pandas.json_normalize."""

import json
import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from service.histories.csv_lines import BYTE_ORDER_MARK, csv_line, guarded
from service.histories.parquet import write_tables
from service.spec.runs import Runs

if TYPE_CHECKING:
    import pyarrow as pa

# A row of the JSON answer, in which NaN and infinities are floats.
Row = dict[str, Any]


def columns_of(runs: Runs) -> dict[str, type]:
    """Name the columns of a table of runs with their types; hyper-parameters of all optimizers are included."""
    hyper: dict[str, type] = {}
    for settings in runs.entries:
        for name, value in _of_optimizer(settings.optimizer(0)).items():
            known, kind = hyper.get(name, type(None)), type(value)
            if known in (type(None), kind) or kind is type(None):
                hyper[name] = kind if value is not None else known
            else:
                hyper[name] = float if {known, kind} == {int, float} else str
    hyper = {name: kind if kind in (bool, int, float) else str for name, kind in hyper.items()}
    return {
        "id": str, "job_id": str, "index": int, "label": str, **hyper, "seed": int, "start": list, "status": str,
        "epochs_done": int, "final_loss": float, "best_loss": float, "best_epoch": int, "diverged_epoch": int,
    }  # fmt: skip


def csv_rows(pages: Iterable[list[Row]], columns: dict[str, type], *, excel: bool = False) -> Iterator[bytes]:
    """Write CSV with a header. ``excel``: for spreadsheets."""
    text: Callable[[Any], Any] = guarded if excel else lambda value: value
    yield (BYTE_ORDER_MARK if excel else b"") + csv_line(columns).encode() + b"\n"
    for page in pages:
        lines = [csv_line(_csv(text(value)) for value in _cells(row, columns)) + "\n" for row in page]
        yield "".join(lines).encode()


def ndjson_rows(pages: Iterable[list[Row]]) -> Iterator[bytes]:
    """Write the objects of the JSON answer, one per line."""
    for page in pages:
        lines = [json.dumps(_strict(row), separators=(",", ":"), ensure_ascii=False) + "\n" for row in page]
        yield "".join(lines).encode()


def parquet_rows(pages: Iterable[list[Row]], columns: dict[str, type]) -> Iterator[bytes]:
    """Write a Parquet file; a start is a list of numbers."""
    import pyarrow as pa

    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), list: pa.list_(pa.float64())}
    schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])

    def tables() -> Iterator["pa.Table"]:
        for page in pages:
            cells = list(zip(*(_cells(row, columns) for row in page), strict=True))
            # Only None becomes null; NaN stays a number.
            arrays = [
                pa.array(column, field.type, from_pandas=False) for column, field in zip(cells, schema, strict=True)
            ]
            yield pa.Table.from_arrays(arrays, schema=schema)

    return write_tables(schema, tables())


def _cells(row: Row, columns: dict[str, type]) -> list[Any]:
    flat = {**row, **_of_optimizer(row["optimizer"])}
    return [_cell(flat.get(name), kind) for name, kind in columns.items()]


def _cell(value: Any, kind: type) -> Any:
    if value is None or (kind is str and isinstance(value, str)) or kind is list:
        return value
    return json.dumps(value) if kind is str else kind(value)


def _of_optimizer(optimizer: dict[str, Any]) -> dict[str, Any]:
    """Flatten an optimizer. The momentum of a formula is a name, and has a column of its own: momenta are numbers."""
    flat = _flat("optimizer", optimizer)
    name = flat.get("optimizer.momentum")
    if isinstance(name, str):
        del flat["optimizer.momentum"]
        flat["optimizer.momentum_name"] = name
    return flat


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    """Flatten nested objects to names with dots, such as optimizer.schedule.kind."""
    if not isinstance(value, dict):
        return {prefix: value}
    return {name: leaf for key, inner in value.items() for name, leaf in _flat(f"{prefix}.{key}", inner).items()}


def _csv(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value) if isinstance(value, list) else value


def _strict(value: Any) -> Any:
    """Replace NaN and infinities by the texts that the JSON answer has."""
    if isinstance(value, dict):
        return {name: _strict(inner) for name, inner in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value

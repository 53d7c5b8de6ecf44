"""Reading of CSV: each column as numbers or as categories.

A column is a category if a value is not a number. Spaces around cells are ignored. A column of numbers may have decimal
commas where another character separates the cells.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv

from service.errors import Rejected
from service.spec.datasets.categories import category_of_strings
from service.spec.datasets.csv_dialect import MISSING, Dialect, OpenQuote, find_dialect, named_delimiter, rows_of
from service.spec.datasets.encodings import as_utf8
from service.spec.datasets.limits import require_values
from service.spec.datasets.table import Column, Table
from service.spec.datasets.unreadable import unreadable

# A cell must fit into a block.
_BLOCK_BYTES = 4 << 20


def read_csv(data: bytes, media_type: str) -> Table:
    """Read a CSV of any usual dialect and encoding.

    Raises:
        Rejected: The file cannot be read; the error has the line and the column.
    """
    text, delimiter = named_delimiter(as_utf8(data))
    dialect = find_dialect(text, media_type, delimiter)
    cells = _cells(text, dialect)
    require_values(cells.num_rows, cells.num_columns)
    if not cells.num_rows:
        raise unreadable("there are names of columns, and no rows")
    columns = []
    for at, name in enumerate(dialect.names):
        column = _column(name, cells.column(at), dialect)
        if column.kind == "number" and (infinite := np.flatnonzero(np.isinf(column.values))).size:
            line = _line_of(text, dialect, int(infinite[0]))
            raise unreadable(f"the number in column {name!r} is infinite, or too large for 64 bits", line, at + 1)
        columns.append(column)
    return Table(tuple(columns))


def _cells(text: bytes, dialect: Dialect) -> pa.Table:
    """Read all cells without the header: numbers where the first rows have numbers, else texts; null where missing."""
    if text.count(b'"') % 2:
        _refuse_open_quote(text, dialect)
    kinds = [pa.float64() if is_number else pa.string() for is_number in dialect.are_numbers]
    # Empty lines before the header would count as rows to skip.
    if not text.startswith((b"\n", b"\r")):
        try:
            return _parsed(text, dialect, kinds, num_skipped=int(dialect.has_header))
        except pa.ArrowInvalid as error:
            if "conversion error" not in str(error):
                raise _not_csv(text, dialect, error) from error
    try:
        # A later row has something else than a number.
        cells = _parsed(text, dialect, [pa.string()] * len(kinds), num_skipped=0)
    except pa.ArrowInvalid as error:
        raise _not_csv(text, dialect, error) from error
    return cells.slice(1) if dialect.has_header else cells


def _parsed(text: bytes, dialect: Dialect, kinds: list[pa.DataType], *, num_skipped: int) -> pa.Table:
    names = [str(at) for at in range(len(kinds))]
    return csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=names, skip_rows_after_names=num_skipped
        ),
        csv.ParseOptions(delimiter=dialect.delimiter, newlines_in_values=b'"' in text),
        csv.ConvertOptions(
            column_types=dict(zip(names, kinds, strict=True)),
            null_values=MISSING,
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _not_csv(text: bytes, dialect: Dialect, error: pa.ArrowInvalid) -> Rejected:
    expected = len(dialect.names)
    for line, row in rows_of(text.decode(), dialect.delimiter):
        if len(row) != expected:
            return unreadable(f"the row has {len(row):,} cells, the first one has {expected:,}", line)
    reason = str(error).partition("\n")[0][:300]
    if "straddling" in reason:
        reason = f"a cell or a row is longer than {_BLOCK_BYTES:,} bytes"
    return unreadable(f"this is not a CSV: {reason}")


def _column(name: str, cells: pa.ChunkedArray, dialect: Dialect) -> Column:
    if pa.types.is_floating(cells.type):
        return Column(name, "number", cells.to_numpy().astype(np.float64, copy=False))
    if (values := _numbers(cells)) is not None:
        return Column(name, "number", values)
    cells = pc.utf8_trim_whitespace(cells)
    cells = pc.if_else(pc.is_in(cells, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), cells)
    values = _numbers(cells)
    if values is None and dialect.delimiter != "," and not pc.any(pc.match_substring(cells, ".")).as_py():
        values = _numbers(pc.replace_substring(cells, ",", "."))
    return category_of_strings(name, cells) if values is None else Column(name, "number", values)


def _numbers(cells: pa.ChunkedArray) -> NDArray[np.float64] | None:
    """Give texts as numbers, NaN where they are missing; None if one is not a number."""
    try:
        values: NDArray[np.float64] = pc.cast(cells, pa.float64()).to_numpy()
    except pa.ArrowInvalid:
        return None
    return np.asarray(values, dtype=np.float64)


def _refuse_open_quote(text: bytes, dialect: Dialect) -> None:
    """Refuse a quote that is not closed: the rest of the file would be one cell."""
    try:
        for _ in rows_of(text.decode(), dialect.delimiter, strict=True):
            pass
    except OpenQuote as error:
        raise unreadable("a quote of this row is not closed", error.line) from error


def _line_of(text: bytes, dialect: Dialect, row: int) -> int:
    """Find the line of a row; rows count from 0 behind the header."""
    wanted = row + dialect.has_header
    return next(line for at, (line, _) in enumerate(rows_of(text.decode(), dialect.delimiter)) if at == wanted)

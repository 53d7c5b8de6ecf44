"""Reading of Parquet: numbers, booleans, texts and dictionaries of them.

The sizes that the file declares are checked before a page is read. Texts are read as dictionaries, so that a few bytes
that repeat a long text stay few.
"""

from decimal import Decimal
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from service.spec.datasets.categories import category, category_of_strings
from service.spec.datasets.limits import MAX_VALUES, require_columns, require_values
from service.spec.datasets.table import Column, Table
from service.spec.datasets.unreadable import unreadable

_MAX_BYTES = 8 * MAX_VALUES * 2
# Columns read at once.
_COLUMNS = 64
_TYPES = "numbers, booleans, texts and dictionaries of them"


def read_parquet(data: bytes) -> Table:
    """Read a Parquet file.

    Raises:
        Rejected: The file cannot be read, or has a column of another type; the error names the column.
    """
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        raise unreadable("this is not a Parquet file, or it is encrypted: it must begin and end with PAR1")
    try:
        return _table(data)
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise unreadable(f"this is not a valid Parquet file: {reason[:300]}") from error


def _table(data: bytes) -> Table:
    with pq.ParquetFile(pa.BufferReader(data)) as file:
        found = file.metadata
        require_columns(found.num_columns)
        require_values(found.num_rows, found.num_columns)
        names = _names(file.schema_arrow)
        _require_bytes(found)
        if not found.num_rows:
            raise unreadable("the file has no rows")
    texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
    columns: list[Column] = []
    with pq.ParquetFile(pa.BufferReader(data), read_dictionary=texts) as file:
        while some := list(islice(names, len(columns), len(columns) + _COLUMNS)):
            read = file.read(columns=some, use_threads=False)
            if read.column_names != some or read.num_rows != found.num_rows:
                raise unreadable("the file has other columns or rows than it declares")
            columns += [_column(name, read.column(name)) for name in some]
    return Table(tuple(columns))


def _names(schema: pa.Schema) -> list[str]:
    """List the columns; refuse types that are neither numbers nor categories."""
    if not len(schema):
        raise unreadable("the file has no columns")
    for at, field in enumerate(schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if not (_is_number(kind) or _is_text(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
            raise unreadable(
                f"column {field.name!r} has the type {str(field.type)[:100]}; allowed are {_TYPES}", column=at + 1
            )
    if len(set(schema.names)) < len(schema):
        twice = next(name for at, name in enumerate(schema.names) if name in schema.names[:at])
        raise unreadable(f"two columns are named {twice!r}: rename one")
    return list(schema.names)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _require_bytes(found: pq.FileMetaData) -> None:
    """Check the decompressed size that the file declares."""
    declared = 0
    for at in range(found.num_row_groups):
        group = found.row_group(at)
        declared += group.total_byte_size
        if group.num_rows < 0 or group.total_byte_size < 0 or declared > _MAX_BYTES:
            raise unreadable(
                f"the file declares {max(declared, group.total_byte_size):,} bytes after decompression; at most "
                f"{_MAX_BYTES:,} are allowed"
            )


def _column(name: str, values: pa.ChunkedArray) -> Column:
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if _is_text(kind):
        return category_of_strings(name, values)
    if pa.types.is_dictionary(values.type):
        values = pc.cast(values, kind)
    if pa.types.is_boolean(kind):
        places_N = pc.cast(values, pa.int32()).fill_null(-1).to_numpy()
        return category(name, places_N, ["false", "true"])
    if pa.types.is_decimal(kind):
        values_N = np.array([_as_float(one) for one in values.to_pylist()], dtype=np.float64)
    else:
        values_N = pc.cast(values, pa.float64(), safe=False).to_numpy().astype(np.float64)
    if (infinite := np.flatnonzero(np.isinf(values_N))).size:
        raise unreadable(f"row {int(infinite[0]) + 1:,} of column {name!r} is infinite")
    return Column(name, "number", values_N)


def _as_float(value: Decimal | None) -> float:
    return np.nan if value is None else float(value)

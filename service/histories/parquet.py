"""Histories as Parquet: row groups of bounded size, written as soon as they are full.

pyarrow is imported for the first file only, because the import takes 0.25 s and 60 MB.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from service.database.ids import run_id
from service.database.reading import MetricColumns
from service.histories.drain import Drain
from service.spec.runs import Runs

if TYPE_CHECKING:
    import pyarrow as pa

# About 5 MB with ten columns. Readers skip row groups and read them in parallel.
ROW_GROUP_ROWS = 65_536


def parquet_file(pieces: Iterable[MetricColumns], columns: Iterable[str], job_id: str, runs: Runs) -> Iterator[bytes]:
    """Write a file. NaN and infinities are floats; a value that was not measured is null."""
    import pyarrow as pa

    kinds: list[tuple[str, Any]] = [("run_id", pa.string()), ("label", pa.string()), ("seed", pa.int64())]
    kinds += [("index", pa.int64()), ("epoch", pa.int64()), *((name, pa.float64()) for name in columns)]
    schema = pa.schema(kinds)
    return write_tables(schema, (_table(schema, rows, job_id, runs) for rows in pieces))


def _table(schema: "pa.Schema", rows: MetricColumns, job_id: str, runs: Runs) -> "pa.Table":
    import pyarrow as pa

    spans = list(rows.runs())
    named = [runs[index] for index, _, _ in spans]
    of_row = np.repeat(np.arange(len(spans), dtype=np.int32), [last - first for _, first, last in spans])

    def repeated(values: list[Any]) -> "pa.Array":
        return pa.array(values).take(pa.array(of_row))

    arrays = [
        repeated([run_id(job_id, run.index) for run in named]),
        repeated([run.label for run in named]),
        repeated([run.seed for run in named]),
        pa.array(rows.index_N),
        pa.array(rows.epoch_N),
        *(
            pa.array(values_N, mask=null_N, from_pandas=False)
            for values_N, null_N in zip(rows.values_CN, rows.null_CN, strict=True)
        ),
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def write_tables(schema: "pa.Schema", tables: Iterable["pa.Table"]) -> Iterator[bytes]:
    """Write tables as one file, and yield its bytes in pieces."""
    import pyarrow as pa
    from pyarrow import parquet

    drain = Drain()
    # Dictionaries for texts only: measured numbers rarely repeat, and a dictionary of them takes most of the time.
    texts = [field.name for field in schema if field.type == pa.string()]
    # Statistics for keys only: readers skip row groups by run or epoch, rarely by a measured value.
    keys = [field.name for field in schema if field.type != pa.float64()]
    with parquet.ParquetWriter(
        pa.PythonFile(drain, mode="w"), schema, compression="zstd", use_dictionary=texts, write_statistics=keys
    ) as file:
        waiting: list[pa.Table] = []
        for table in tables:
            waiting.append(table)
            if sum(len(one) for one in waiting) >= ROW_GROUP_ROWS:
                file.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
                waiting = []
                yield drain.take()
        if waiting:
            file.write_table(pa.concat_tables(waiting), row_group_size=ROW_GROUP_ROWS)
    yield drain.take()

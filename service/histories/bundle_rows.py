"""Rows of the histories of a bundle, by ranges of runs."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from service.database.bulk import Bools, Floats, Integers
from service.histories.bundle import HISTORIES
from service.histories.bundle_file import NotABundle, Part
from service.histories.parquet import ROW_GROUP_ROWS
from service.histories.reading import select_fields
from service.spec.job import JobSpec
from service.spec.price import Price

_KEYS = ("run_id", "label", "seed", "index", "epoch")


@dataclass(frozen=True)
class Rows:
    """N rows of C columns, sorted by run and epoch; a value that was not measured is True in ``null_CN``."""

    index_N: Integers
    epoch_N: Integers
    seed_N: Integers
    label_N: np.ndarray
    values_CN: Floats
    null_CN: Bools

    def __len__(self) -> int:
        return len(self.index_N)


class StoredRows:
    """The Parquet file of a bundle.

    Args:
        part: The file.
        spec: The spec of the job, which determines the columns.
        cost: The price of the spec, which bounds the rows.

    Raises:
        NotABundle: It is no Parquet file, or not one of this spec.
    """

    def __init__(self, part: Part, spec: JobSpec, cost: Price) -> None:
        import pyarrow as pa
        from pyarrow import parquet

        self.columns = tuple(select_fields(spec, None).columns)
        try:
            self._file = parquet.ParquetFile(pa.PythonFile(part, mode="r"))
        except (pa.ArrowException, OSError) as error:
            raise NotABundle(f"{HISTORIES} is no Parquet file: {error}") from error
        names = self._file.schema_arrow.names
        if names != [*_KEYS, *self.columns]:
            raise NotABundle(f"{HISTORIES} has the columns {', '.join(names[:30])}; the spec gives others")
        metadata = self._file.metadata
        groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
        self.num_rows = sum(group.num_rows for group in groups)
        if self.num_rows > cost.rows_total or any(group.num_rows > ROW_GROUP_ROWS for group in groups):
            raise NotABundle(f"{HISTORIES} has {self.num_rows:,} rows; the spec gives at most {cost.rows_total:,}")
        self._spans = [_span(group.column(_KEYS.index("index"))) for group in groups]

    def between(self, first_run: int, end_run: int) -> Rows:
        """Read the rows of the runs from ``first_run`` to before ``end_run``.

        Raises:
            NotABundle: The file cannot be read.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        groups = [at for at, (low, high) in enumerate(self._spans) if low < end_run and high >= first_run]
        try:
            table = self._file.read_row_groups(groups, columns=[*_KEYS[1:], *self.columns], use_threads=False)
            inside = pc.and_(pc.greater_equal(table["index"], first_run), pc.less(table["index"], end_run))
            table = table.filter(inside)
            index_N, epoch_N, seed_N = (_integers(table[name]) for name in ("index", "epoch", "seed"))
            label_N = table["label"].to_numpy()
            shape = len(self.columns), len(table)
            values_CN, null_CN = np.empty(shape), np.empty(shape, dtype=np.bool_)
            for at, name in enumerate(self.columns):
                null_CN[at] = table[name].is_null().to_numpy()
                values_CN[at] = table[name].cast(pa.float64()).fill_null(0.0).to_numpy()
        except (pa.ArrowException, OSError, ValueError) as error:
            raise NotABundle(f"{HISTORIES} cannot be read: {error}") from error
        order = np.lexsort((epoch_N, index_N))
        return Rows(
            index_N[order], epoch_N[order], seed_N[order], label_N[order], values_CN[:, order], null_CN[:, order]
        )


def _span(column: Any) -> tuple[float, float]:
    """Give the smallest and the largest run of a row group; all runs if the file does not say."""
    found = column.statistics
    if found is None or not found.has_min_max:
        return (-np.inf, np.inf)
    return (found.min, found.max)


def _integers(column: Any) -> Integers:
    found: Integers = column.to_numpy()
    if found.dtype != np.int64:
        raise ValueError("the keys of a row must be integers")
    return found

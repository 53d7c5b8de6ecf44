"""Databases of one table as bytes, which SQLite opens in memory: numpy packs and unpacks all rows at once.

Python's ``sqlite3`` module takes and gives one value at a time, which costs more than SQLite itself. Between such a
database and a table of the file, SQLite copies with one statement. The format: https://www.sqlite.org/fileformat2.html.

Letters: N rows, C columns, P pages of rows.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.database.dialects.equal_rows import repeat_row

Bytes = NDArray[np.uint8]
# Types of values in the header of a row, here each one byte.
NULL, FLOAT = 0, 7
TABLE_INTERIOR, TABLE_LEAF = 5, 13
LEAF_HEADER, INTERIOR_HEADER = 8, 12
# The table is the only one, and its root is the second page.
TABLE, ROOT = "rows", 1
_INT4, _NAN, _NAN_TEXT = 4, 19, b"NaN"
_PAGE_BYTES = 65_536
# Keys of rows from here on are written in four bytes.
_FIRST_KEY = 1 << 21
# The root has an entry of ten bytes for each page of rows, and a row has at most 300 bytes.
MAX_ROWS = 1_000_000
_NUM_PAGES_AT = 28


@cache
def empty(num_columns: int, page_bytes: int = _PAGE_BYTES) -> bytes:
    """Give a database with an empty table of some columns."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"PRAGMA page_size = {page_bytes:d}")
        connection.execute(f"CREATE TABLE {TABLE} ({', '.join(f'c{at}' for at in range(num_columns))})")
        return connection.serialize()


def pack(integers_N: Sequence[NDArray[np.int64]], values_CN: NDArray[np.float64], known_CN: NDArray[np.bool_]) -> Bytes:
    """Write N rows, at least one: columns of integers of four bytes, then of numbers.

    A NaN becomes the text 'NaN', a number that is not known NULL.
    """
    num_columns = len(integers_N) + len(values_CN)
    # The length of the row, its key, the length and the types of the header, and the values.
    slot_bytes = 2 + 4 + 1 + num_columns + 4 * len(integers_N) + 8 * len(values_CN)
    per_page = (_PAGE_BYTES - LEAF_HEADER) // (2 + slot_bytes)
    num_rows = values_CN.shape[1]
    num_pages = -(-num_rows // per_page)
    image = _pages(num_columns, num_rows, num_pages, per_page, slot_bytes)
    key_N = _four_bytes(_FIRST_KEY + np.arange(num_rows))
    for types, chosen_N in _patterns(values_CN, known_CN):
        row = _row(types, len(integers_N))
        columns_N = {"key": key_N, **{f"integer {at}": column_N for at, column_N in enumerate(integers_N)}}
        columns_N |= {f"{at}": values_CN[at] for at, kind in enumerate(types) if kind == FLOAT}
        slots = np.ndarray(
            (num_pages, per_page),
            row.dtype,
            image.data,
            offset=_first_leaf(num_pages) * _PAGE_BYTES + LEAF_HEADER + 2 * per_page,
            strides=(_PAGE_BYTES, slot_bytes),
        )
        if chosen_N is not None:
            columns_N = {name: column_N[chosen_N] for name, column_N in columns_N.items()}
            slots[np.divmod(chosen_N, per_page)] = repeat_row(row, columns_N, len(chosen_N))
            continue
        rows = repeat_row(row, columns_N, num_rows)
        full = num_rows // per_page
        slots[:full] = rows[: full * per_page].reshape(full, per_page)
        slots[full:, : num_rows - full * per_page] = rows[full * per_page :]
    return image


def _row(types: Sequence[int], num_integers: int) -> NDArray[Any]:
    """Make a row with values of some types behind integers; only its numbers are missing."""
    num_columns = num_integers + len(types)
    layout = [("key", ">u4"), ("header", f"V{1 + num_columns}")]
    layout += [(f"integer {at}", ">i4") for at in range(num_integers)]
    layout += [(f"{at}", ">f8" if kind == FLOAT else "V3") for at, kind in enumerate(types) if kind != NULL]
    length = _varint(np.dtype(layout).itemsize - 4)
    row = np.zeros(1, dtype=[("length", f"V{len(length)}"), *layout])
    row["length"] = np.void(length)
    row["header"] = np.void(bytes([1 + num_columns, *[_INT4] * num_integers, *types]))
    for at, kind in enumerate(types):
        if kind == _NAN:
            row[f"{at}"] = np.void(_NAN_TEXT)
    return row


def _pages(num_columns: int, num_rows: int, num_pages: int, per_page: int, slot_bytes: int) -> Bytes:
    """Write everything but the rows: each has a slot of the same size on its page, which it may not fill."""
    first = _first_leaf(num_pages)
    image = np.zeros((first + num_pages, _PAGE_BYTES), dtype=np.uint8)
    start = np.frombuffer(empty(num_columns), dtype=np.uint8)
    image[0] = start[:_PAGE_BYTES]
    image[0, _NUM_PAGES_AT : _NUM_PAGES_AT + 4] = _big_endian(len(image), ">u4")
    slots = LEAF_HEADER + 2 * per_page
    counts_P = np.full(num_pages, per_page)
    counts_P[-1] = num_rows - (num_pages - 1) * per_page
    leaves = image[first:]
    leaves[:, 0] = TABLE_LEAF
    leaves[:, 3:5] = _big_endian(counts_P, ">u2")
    leaves[:, 5:7] = _big_endian(slots, ">u2")
    leaves[:, LEAF_HEADER:slots] = _big_endian(slots + slot_bytes * np.arange(per_page), ">u2").reshape(-1)
    if num_pages > 1:
        _write_root(image[ROOT], first + 1 + np.arange(num_pages), _FIRST_KEY - 1 + np.cumsum(counts_P))
    return image


def _write_root(root: Bytes, number_P: NDArray[np.int64], last_key_P: NDArray[np.int64]) -> None:
    """List the pages of rows, each with its last key; the last page has an entry in the header."""
    num = len(number_P) - 1
    entries = INTERIOR_HEADER + 2 * num
    root[0] = TABLE_INTERIOR
    root[3:5], root[5:7] = _big_endian(num, ">u2"), _big_endian(entries, ">u2")
    root[8:12] = _big_endian(number_P[-1], ">u4")
    root[INTERIOR_HEADER:entries] = _big_endian(entries + 8 * np.arange(num), ">u2").reshape(-1)
    pairs = np.column_stack([_big_endian(number_P[:-1], ">u4"), _big_endian(_four_bytes(last_key_P[:-1]), ">u4")])
    root[entries : entries + 8 * num] = pairs.reshape(-1)


def _first_leaf(num_pages: int) -> int:
    """The position of the first page of rows, which is the root if there is no other."""
    return ROOT + (num_pages > 1)


def _patterns(
    values_CN: NDArray[np.float64], known_CN: NDArray[np.bool_]
) -> list[tuple[tuple[int, ...], NDArray[np.int64] | None]]:
    """Find the types of values that rows have, and the rows of each; None for all of them."""
    nan_CN = np.isnan(values_CN)
    if known_CN.all() and not nan_CN.any():
        return [((FLOAT,) * len(values_CN), None)]
    types_CN = np.where(known_CN, np.where(nan_CN, _NAN, FLOAT), NULL).astype(np.uint8)
    same_N = np.ascontiguousarray(types_CN.T).view(f"V{len(types_CN)}")[:, 0]
    kinds, of_N = np.unique(same_N, return_inverse=True)
    return [(tuple(kind.tobytes()), np.flatnonzero(of_N == at)) for at, kind in enumerate(kinds)]


def _varint(number: int) -> bytes:
    """Write a number below 16,384: seven bits a byte."""
    return bytes([number]) if number < 128 else bytes([0x80 | number >> 7, number & 0x7F])


def _four_bytes(number_N: NDArray[np.int64]) -> NDArray[np.int64]:
    """Write numbers from 2^21 to before 2^28 as four bytes of seven bits each, all but the last with a high bit."""
    spread_N = (number_N >> 21 & 0x7F) << 24 | (number_N >> 14 & 0x7F) << 16 | (number_N >> 7 & 0x7F) << 8
    return spread_N | number_N & 0x7F | 0x80808000


def _big_endian(numbers: Any, kind: str) -> Bytes:
    """Give the bytes of numbers, [N, bytes], or [bytes] of a single one."""
    array = np.asarray(numbers).astype(kind)
    return np.frombuffer(array.tobytes(), dtype=np.uint8).reshape(*array.shape, -1)

"""Rows of a database in memory as columns of numbers: the reverse of ``sqlite_image.pack``, for rows that SQLite wrote.

Letters: N rows, C columns, P pages, S bytes of the database.
"""

import numpy as np
from numpy.typing import NDArray

from service.database.bulk import Bools, Floats
from service.database.dialects.sqlite_image import (
    FLOAT,
    INTERIOR_HEADER,
    LEAF_HEADER,
    NULL,
    ROOT,
    TABLE_INTERIOR,
    Bytes,
)

# Bytes of the values of each type below 12; greater types are blobs and texts.
_BYTES = np.array([0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0] + [size >> 1 for size in range(128 - 12)])
_INTEGERS = range(1, 7)
_ZERO, _ONE = 8, 9
_WORD = 8


def unpack(database: bytes, num_columns: int) -> tuple[Floats, Bools]:
    """Read all rows, in the order of their insertion, as numbers [C, N]; and where a value is NULL, which is NaN here.

    The table has keys from 1 on, fewer than 100 columns, and values of at most 57 bytes. A text is NaN.
    """
    bytes_S = np.frombuffer(database, dtype=np.uint8)
    page_bytes = int.from_bytes(database[16:18], "big")
    # 65,536 is written as 1.
    cell_N = _cells(bytes_S, 65_536 if page_bytes == 1 else page_bytes)
    num_rows = len(cell_N)
    # A cell is the length of the row, its key, the length of the header, the types and the values.
    long_N = bytes_S[cell_N] >= 128
    key_N = np.arange(1, num_rows + 1)
    key_bytes_N = 1 + (key_N >> 7 > 0) + (key_N >> 14 > 0) + (key_N >> 21 > 0) + (key_N >> 28 > 0)
    types_at_N = cell_N + 2 + long_N + key_bytes_N
    types_NC = _gather(database, types_at_N, num_columns)
    values_at_N = types_at_N + num_columns
    if not num_rows:
        return np.empty((num_columns, 0)), np.empty((num_columns, 0), dtype=np.bool_)
    is_first_N = (types_NC == types_NC[0]).all(axis=1)
    if is_first_N.all():
        return _uniform(database, values_at_N, types_NC[0])
    values_CN, null_CN = np.empty((num_columns, num_rows)), types_NC.T == NULL
    left_N = np.arange(num_rows)
    while len(left_N):
        is_first_N = (types_NC[left_N] == types_NC[left_N[0]]).all(axis=1)
        chosen_N = left_N[is_first_N]
        values_CN[:, chosen_N], _ = _uniform(database, values_at_N[chosen_N], types_NC[chosen_N[0]])
        left_N = left_N[~is_first_N]
    return values_CN, null_CN


def _uniform(database: bytes, at_N: NDArray[np.int64], types_C: Bytes) -> tuple[Floats, Bools]:
    """Read rows of the same types, and so of the same size, each as a whole."""
    values_CN = np.full((len(types_C), len(at_N)), np.nan)
    sizes_C = _BYTES[types_C]
    at_C = np.cumsum(sizes_C) - sizes_C
    floats_C = types_C == FLOAT
    if floats_C.all():
        values_CN[:] = _gather(database, at_N, 8 * len(types_C)).view(">f8").T
    else:
        for column, kind in enumerate(types_C.tolist()):
            values_CN[column] = _values(database, at_N + at_C[column], kind)
    null_CN = np.repeat((types_C == NULL)[:, None], len(at_N), axis=1)
    return values_CN, null_CN


def _values(database: bytes, at_N: NDArray[np.int64], kind: int) -> Floats | float:
    """Read the values of one type at some places."""
    if kind == FLOAT:
        return _gather(database, at_N, 8).view(">f8")[:, 0].astype(np.float64)
    if kind in _INTEGERS:
        size = int(_BYTES[kind])
        # The integer is the end of a word.
        word_N = _gather(database, at_N + size - _WORD, _WORD).view(">i8")[:, 0].astype(np.int64)
        unused = 8 * (_WORD - size)
        return (word_N << unused >> unused).astype(np.float64)
    return {_ZERO: 0.0, _ONE: 1.0}.get(kind, np.nan)


def _cells(bytes_S: Bytes, page_bytes: int) -> NDArray[np.int64]:
    """Find the place of each row."""
    pages = bytes_S.reshape(-1, page_bytes)
    leaf_P = np.array(_leaves(pages, ROOT))
    count_P = _numbers(pages[leaf_P, 3:5], ">u2")[:, 0]
    most = int(count_P.max())
    at_PN = _numbers(pages[leaf_P, LEAF_HEADER : LEAF_HEADER + 2 * most], ">u2")
    return (leaf_P[:, None] * page_bytes + at_PN)[np.arange(most) < count_P[:, None]]


def _leaves(pages: Bytes, number: int) -> list[int]:
    """Find the pages of rows below a page, in the order of their keys."""
    page = pages[number]
    if page[0] != TABLE_INTERIOR:
        return [number]
    count = int(_numbers(page[3:5], ">u2")[0])
    at = _numbers(page[INTERIOR_HEADER : INTERIOR_HEADER + 2 * count], ">u2")
    below = _numbers(page[at[:, None] + np.arange(4)], ">u4")[:, 0]
    last = _numbers(page[8:12], ">u4")
    return [leaf for child in [*below.tolist(), *last.tolist()] for leaf in _leaves(pages, child - 1)]


def _numbers(bytes_: Bytes, kind: str) -> NDArray[np.int64]:
    return np.ascontiguousarray(bytes_).view(kind).astype(np.int64)


def _gather(database: bytes, at_N: NDArray[np.int64], size: int) -> Bytes:
    """Read some bytes at each of N places, [N, bytes]."""
    places = np.ndarray((len(database) - size + 1,), dtype=f"V{size}", buffer=database, strides=(1,))
    return places[at_N].view(np.uint8).reshape(-1, size)

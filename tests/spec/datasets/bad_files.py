"""Files that are no datasets, or lie about their size: the media type, the bytes, and a part of the error."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from service.spec.datasets.media import CSV, NPZ, PARQUET, TEXT

BadFile = tuple[str, bytes, str]


def parquet(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), file, **options)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def npy(header: str, values: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n" + values


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return file.getvalue()


def array(shape: str, values: bytes, kind: str = "<f8") -> bytes:
    return npy(f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}}}", values)


MARKED = b"\xef\xbb\xbfa\n1\n\xff\n"
ONE = array("(1,)", bytes(8))
DATES = parquet({"a": [1], "when": pa.array([0], pa.timestamp("s"))})
ABSENT = zipped(x=array("(9000000000, 9)", bytes(72)), y=ONE)
Y = np.arange(3)
PICKLED = zipped(x=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", pickle.dumps([1])), y=ONE)
WHOLE = parquet({"a": [1.0, 2.0, 3.0]})
LYING_FOOTER = WHOLE[:-8] + struct.pack("<I", 0x7FFFFFFF) + b"PAR1"


def bomb() -> bytes:
    """A gigabyte of zeros, which is a megabyte here."""
    return zipped(x=array("(134217728, 1)", bytes(1 << 30)), y=ONE)


def long_runs() -> bytes:
    """40 million rows of one value, run-length encoded: 5 KB."""
    return parquet({"a": pa.array(np.zeros(40_000_000, dtype=np.int8))}, compression="zstd")


def many_arrays() -> bytes:
    """3,000 empty arrays."""
    return zipped(**{f"a{number}": b"" for number in range(3_000)})


@cache
def bad_file(name: str) -> BadFile:
    """A bad file by its name. What takes a second to make is made when a test first asks for it."""
    media_type, data, sentence = BAD_FILES[name]
    return media_type, data if isinstance(data, bytes) else data(), sentence


BAD_FILES: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "nothing": (CSV, b"", "the file is empty"),
    "spaces": (CSV, b" \n \n", "the file is empty"),
    "a header alone": (CSV, b"a,b\n", "there are names of columns, and no rows"),
    "a short row": (CSV, b"a,b\n1,2\n3\n", "line 3: the row has 1 cells, the first one has 2"),
    "a long row behind a cell of two lines": (CSV, b'a,b\n"x\ny",2\n3,4,5\n', "line 4: the row has 3 cells"),
    "an open quote": (CSV, b'a,b\n1,"2\n3,4\n', "line 2: a quote of this row is not closed"),
    "two columns of one name": (CSV, b"a,b,a\n1,2,3\n", "line 1, column 3: columns 1 and 3 are both named 'a'"),
    "an infinite number": (CSV, b"a,b\n1,2\n\n3,-inf\n", "line 4, column 2: the number in column 'b' is infinite"),
    "a number above 64 bits": (CSV, b"a\n1\n1e999\n", "line 3, column 1: the number in column 'a' is infinite"),
    "a billion columns": (CSV, b"," * 1_000_000 + b"\n", "the file has 1,000,001 columns; at most 10,000"),
    "a line without an end": (CSV, b"a" * 2_000_000, "line 1: the line is longer than 1,048,576 bytes"),
    "a cell of megabytes": (CSV, b"a,b\n1,2\n1," + b"2" * 9_000_000 + b"\n", "longer than 4,194,304 bytes"),
    "zero bytes": (CSV, b"a,b\n1,2\n\0\0,3\n", "line 3: there is a zero byte"),
    "a Parquet file sent as CSV": (CSV, WHOLE, "this is a Parquet file, not a text"),
    "a mark of UTF-8 before another encoding": (CSV, MARKED, "line 3: byte 8 of the file is not UTF-8"),
    "half a character of UTF-16": (CSV, b"\xff\xfea\0\n\0001", "is not UTF-16"),
    "too many values": (CSV, lambda: b"a,b,c\n" + b",,\n" * 12_000_000, "12,000,000 rows × 3 columns"),
    "a CSV sent as Parquet": (PARQUET, b"a,b\n1,2\n", "this is not a Parquet file"),
    "a Parquet file cut short": (PARQUET, WHOLE[: len(WHOLE) // 2] + b"PAR1", "not a valid Parquet file"),
    "a footer of 2 GB": (PARQUET, LYING_FOOTER, "not a valid Parquet file"),
    "a date": (PARQUET, DATES, "column 2: column 'when' has the type timestamp[ms]"),
    "a list": (PARQUET, parquet({"a": [[1, 2]]}), "column 'a' has the type list<"),
    "rows by run lengths": (PARQUET, long_runs, "40,000,000 rows × 1 columns"),
    "an infinite float": (PARQUET, parquet({"a": [1.0, np.inf]}), "row 2 of column 'a' is infinite"),
    "no rows": (PARQUET, parquet({"a": pa.array([], pa.float64())}), "the file has no rows"),
    "a CSV sent as NPZ": (NPZ, b"a,b\n1,2\n", "this is not an NPZ"),
    "pickled objects": (NPZ, PICKLED, "x has the type object; only numbers are allowed"),
    "a zip bomb": (NPZ, bomb, "x.npy has 1,073,741,"),
    "thousands of arrays": (NPZ, many_arrays, "the file has 3,000 arrays; it must have two, x and y"),
    "other arrays": (NPZ, npz(x=Y[:, None], z=Y), "the file has the arrays x.npy, z.npy"),
    "a shape that is not there": (NPZ, ABSENT, "x declares the shape (9000000000, 9)"),
    "a negative shape": (NPZ, zipped(x=array("(-1, -1)", bytes(8)), y=ONE), "x declares the shape (-1, -1)"),
    "labels of other rows": (NPZ, npz(x=np.zeros((4, 2)), y=Y), "y has the shape (3,) and x (4, 2)"),
    "x in one dimension": (NPZ, npz(x=np.zeros(3), y=Y), "x has the shape (3,)"),
    "a pixel that is missing": (NPZ, npz(x=np.full((3, 2, 2), np.nan), y=Y), "row 1 has a value that is not finite"),
    "complex numbers": (NPZ, npz(x=np.zeros((3, 1), complex), y=Y), "x has the type complex128"),
    "an empty text": (TEXT, b"\xef\xbb\xbf", "the text is empty"),
    "a picture": (TEXT, b"\x89PNG\r\n\x1a\n\0\0\0", "there is a zero byte"),
}  # fmt: skip

"""Columns of numbers as text: the shortest decimal that gives the same float, formatted in bulk by orjson.

orjson writes null for NaN and infinities. These are replaced afterwards by their texts; "not measured" stays null.
"""

import numpy as np
import orjson
from numpy.typing import NDArray

# Texts of: not measured, NaN, Infinity, −Infinity.
Words = tuple[str, str, str, str]
JSON: Words = ("null", '"NaN"', '"Infinity"', '"-Infinity"')
CSV: Words = ("", "nan", "inf", "-inf")


def texts(values_N: NDArray[np.float64], null_N: NDArray[np.bool_], words: Words) -> list[str]:
    """Write each value of a column; both arrays are contiguous [N]."""
    if null_N.all():
        return [words[0]] * len(values_N)
    written = integers(values_N)
    for at in np.flatnonzero(~np.isfinite(values_N)).tolist():
        written[at] = _word(float(values_N[at]), bool(null_N[at]), words)
    return written


def integers(values_N: NDArray[np.int64] | NDArray[np.float64]) -> list[str]:
    """Write each number of a column of finite numbers."""
    return _dump(values_N)[1:-1].decode().split(",") if len(values_N) else []


def json_array(values_N: NDArray[np.float64], null_N: NDArray[np.bool_]) -> bytes:
    """Write a column as a JSON array."""
    if (np.isfinite(values_N) | null_N).all():
        return _dump(values_N)
    return b"[" + ",".join(texts(values_N, null_N, JSON)).encode() + b"]"


def json_integers(values_N: NDArray[np.int64]) -> bytes:
    """Write integers as a JSON array."""
    return _dump(values_N)


def _dump(values_N: NDArray[np.int64] | NDArray[np.float64]) -> bytes:
    return orjson.dumps(np.ascontiguousarray(values_N), option=orjson.OPT_SERIALIZE_NUMPY)


def _word(value: float, is_null: bool, words: Words) -> str:
    if is_null:
        return words[0]
    if value != value:
        return words[1]
    return words[2] if value > 0 else words[3]

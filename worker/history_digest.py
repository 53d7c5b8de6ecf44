"""Hashes of metric rows, whose sum identifies a history.

Two runs with the same rows have the same sum, whatever the order and the chunks in which rows are added. Different
histories have the same sum with a probability of about 2^−64; it is no protection against intent.
"""

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
# A NaN that canonical NaNs are not.
_NOT_MEASURED = np.uint64(0xFFF8_0000_0000_0001)


def row_hashes(
    fields: tuple[str, ...],
    number_E: NDArray[np.int64],
    values_FRE: NDArray[np.float64],
    measured_FRE: NDArray[np.bool_],
) -> Hashes:
    """Hash the epoch and the bits of all values of each row, [R, E].

    Every field has an odd factor of its own. All NaNs are equal, −0.0 and 0.0 are not, and a value that was not
    measured differs from every number. The last step is the finalizer of SplitMix64 (Steele, Lea and Flood, Fast
    Splittable Pseudorandom Number Generators, 2014).
    """
    hash_RE = np.zeros(values_FRE.shape[1:], dtype=np.uint64)
    # Field by field: the arrays of one field fit the cache.
    for field, values_RE, measured_RE in zip(fields, values_FRE, measured_FRE, strict=True):
        bits_RE = np.where(np.isnan(values_RE), np.nan, values_RE).view(np.uint64)
        if not measured_RE.all():
            bits_RE = np.where(measured_RE, bits_RE, _NOT_MEASURED)
        # float32 values leave the low bits empty, and a product would keep them empty.
        bits_RE ^= bits_RE >> np.uint64(32)
        bits_RE *= _factor(field)
        hash_RE += bits_RE
    hash_RE += number_E.astype(np.uint64) * _factor("epoch")
    hash_RE = (hash_RE ^ (hash_RE >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    hash_RE = (hash_RE ^ (hash_RE >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return hash_RE ^ (hash_RE >> np.uint64(31))


@cache
def _factor(field: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(field.encode()).digest()[:8]) | 1)

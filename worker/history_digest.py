"""Hashes of metric rows, whose sum identifies a history.

Two runs with the same rows have the same sum, whatever the order and the chunks in which rows are added. Different
histories have the same sum with a probability of about 2^−64; it is no protection against intent.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]


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
    values_FRE = np.where(np.isnan(values_FRE), np.nan, values_FRE)
    bits_FRE = np.where(measured_FRE, values_FRE.view(np.uint64), np.uint64(0xFFF8_0000_0000_0001))
    # float32 values leave the low bits empty, and a product would keep them empty.
    bits_FRE ^= bits_FRE >> np.uint64(32)
    factor_F = np.array([_factor(field) for field in fields], dtype=np.uint64)
    hash_RE: Hashes = np.einsum("f,fre->re", factor_F, bits_FRE)
    hash_RE += number_E.astype(np.uint64) * _factor("epoch")
    hash_RE = (hash_RE ^ (hash_RE >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    hash_RE = (hash_RE ^ (hash_RE >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return hash_RE ^ (hash_RE >> np.uint64(31))


def _factor(field: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.sha256(field.encode()).digest()[:8]) | 1)

"""Counter-based random numbers: a function of seed, stream and step, without state.

A run therefore draws the same noise and the same order of data alone or in a stack, resumed or not, on one worker or
many. Numbers are made on the host with numpy, for every device alike.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

U32 = NDArray[np.uint64]  # 32-bit words, kept in 64 bits so that products of two fit.

# Streams keep uses of one seed apart.
NOISE, ORDER, SPLIT, LABELS, AUGMENT, POINTS, UPDATES = range(7)

_MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_KEY_STEPS = 0x9E3779B9, 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10


def philox(counter: tuple[U32, U32, U32, U32], key: tuple[U32, U32]) -> tuple[U32, U32, U32, U32]:
    """Philox4x32-10: four random words for each counter of four words under a key of two; arrays broadcast.

    Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3, 2011.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        product0 = _MULTIPLIERS[0] * c0
        product1 = _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ k0,
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ k1,
            product0 & _LOW,
        )
        k0 = (k0 + np.uint64(_KEY_STEPS[0])) & _LOW
        k1 = (k1 + np.uint64(_KEY_STEPS[1])) & _LOW
    return c0, c1, c2, c3


def words(seeds_S: NDArray[np.int64], stream: int, steps_T: NDArray[np.int64], num: int) -> NDArray[np.uint64]:
    """Random 64-bit words [T, num, S] for each step, position and seed."""
    seeds = np.ascontiguousarray(seeds_S).view(np.uint64)
    steps = np.ascontiguousarray(steps_T).view(np.uint64)[:, None, None]
    blocks = np.arange((num + 1) // 2, dtype=np.uint64)[None, :, None]
    counter = (blocks, np.full_like(blocks, stream), steps & _LOW, steps >> _HALF)
    w0, w1, w2, w3 = philox(counter, (seeds & _LOW, seeds >> _HALF))
    pairs = np.stack([w0 << _HALF | w1, w2 << _HALF | w3], axis=2)
    return pairs.reshape(len(steps_T), -1, len(seeds_S))[:, :num]


def normals(seeds_S: NDArray[np.int64], stream: int, steps_T: NDArray[np.int64], num: int) -> NDArray[np.float64]:
    """Standard normal numbers [T, num, S], by Box and Muller from uniform numbers of 53 bits."""
    raw = words(seeds_S, stream, steps_T, num + num % 2)
    # The radius takes a uniform number in (0, 1], so that its logarithm is finite; the angle one in [0, 1).
    radius = np.sqrt(-2 * np.log(((raw[:, 0::2] >> np.uint64(11)) + np.uint64(1)) * 2.0**-53))
    angle = (raw[:, 1::2] >> np.uint64(11)) * (2 * np.pi * 2.0**-53)
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return pairs.reshape(len(steps_T), -1, len(seeds_S))[:, :num]


@lru_cache(maxsize=4)
def _positions(num: int) -> NDArray[np.uint64]:
    return np.arange(num, dtype=np.uint64)[None, :, None]


def permutations(
    seeds_S: NDArray[np.int64], steps_T: NDArray[np.int64], num: int, stream: int = ORDER
) -> NDArray[np.int64]:
    """A random order of 0 … num − 1 for each step and seed [T, num, S]: the order in which random keys sort.

    The position is the key's lowest bits, so that no two keys are equal.
    """
    position_bits = np.uint64(max(1, (num - 1).bit_length()))
    keys = words(seeds_S, stream, steps_T, num) >> position_bits << position_bits | _positions(num)
    keys.sort(axis=1)
    return (keys & ((np.uint64(1) << position_bits) - np.uint64(1))).astype(np.int64)

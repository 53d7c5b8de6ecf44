"""Scrambled Sobol points, equal to those of `scipy.stats.qmc.Sobol`, whose package takes more than a second to load.

Direction numbers: Joe and Kuo, Constructing Sobol sequences with better two-dimensional projections, 2008 (their list
`new-joe-kuo-6`). Scrambling: a random lower triangular matrix and a digital shift; Matoušek, On the L2-discrepancy for
anchored boxes, 1998. Points in Gray code order: Antonov and Saleev, 1979.
"""

import numpy as np
from numpy.typing import NDArray

BITS = 30
# For each dimension after the first: the primitive polynomial, with one bit for each coefficient, and the first
# direction numbers, as many as its degree.
_DIRECTIONS = """
3 1; 7 1 3; 11 1 3 1; 13 1 1 1; 19 1 1 3 3; 25 1 3 5 13; 37 1 1 5 5 17; 41 1 1 5 5 5; 47 1 1 7 11 19;
55 1 1 5 1 1; 59 1 1 1 3 11; 61 1 3 5 5 31; 67 1 3 3 9 7 49; 91 1 1 1 15 21 21; 97 1 3 1 13 27 49;
103 1 1 1 15 7 5; 109 1 3 1 15 13 25; 115 1 1 5 5 19 61; 131 1 3 7 11 23 15 103; 137 1 3 7 13 13 15 69;
143 1 1 3 13 7 35 63; 145 1 3 5 9 1 25 53; 157 1 3 1 13 9 35 107; 167 1 3 1 5 27 61 31; 171 1 1 5 11 19 41 61;
185 1 3 5 3 3 13 69; 191 1 1 7 13 1 19 1; 193 1 3 7 5 13 19 59; 203 1 1 3 9 25 29 41; 211 1 3 5 13 23 1 55;
213 1 3 7 3 13 59 17; 229 1 3 1 3 5 53 69; 239 1 1 5 5 23 33 13; 241 1 1 7 7 1 61 123; 247 1 1 7 9 13 61 49;
253 1 3 3 5 3 55 33; 285 1 3 1 15 31 13 49 245; 299 1 3 5 15 31 59 63 97; 301 1 3 1 11 11 11 77 249
"""
MAX_DIMENSIONS = 2 + _DIRECTIONS.count(";")


def sobol(num_points: int, num_dimensions: int, seed: int) -> NDArray[np.float64]:
    """Give the first points of a scrambled sequence in the unit cube, shape [points, dimensions].

    Raises:
        ValueError: There are more dimensions than MAX_DIMENSIONS.
    """
    if num_dimensions > MAX_DIMENSIONS:
        raise ValueError(f"{num_dimensions} dimensions; Sobol points have at most {MAX_DIMENSIONS}")
    # SciPy gives each sequence a child of the generator.
    (generator,) = np.random.default_rng(seed).spawn(1)
    powers = 1 << np.arange(BITS, dtype=np.uint32)
    shift_D = generator.integers(2, size=(num_dimensions, BITS), dtype=np.uint32) @ powers
    matrix_DBB = np.tril(generator.integers(2, size=(num_dimensions, BITS, BITS), dtype=np.uint32), -1)
    matrix_DBB |= np.eye(BITS, dtype=np.uint32)
    # Bits with the most significant one first: [dimensions, bits, numbers].
    bits_DBN = (_direction_numbers(num_dimensions)[:, None, :] >> np.arange(BITS - 1, -1, -1)[:, None]) & 1
    scrambled_DBN = np.einsum("dij,djn->din", matrix_DBB, bits_DBN) & 1
    scrambled_DN = np.einsum("din,i->dn", scrambled_DBN, powers[::-1])
    number_N = np.arange(num_points)
    gray_N = number_N ^ (number_N >> 1)
    points_ND = np.broadcast_to(shift_D.astype(np.int64), (num_points, num_dimensions)).copy()
    for bit in range(max(0, num_points - 1).bit_length()):
        points_ND ^= (gray_N >> bit & 1)[:, None] * scrambled_DN[:, bit]
    return points_ND / 2.0**BITS


def _direction_numbers(num_dimensions: int) -> NDArray[np.int64]:
    """Give the direction numbers of each dimension, shape [dimensions, bits], as integers of BITS bits."""
    numbers = np.ones((num_dimensions, BITS), dtype=np.int64)
    for dimension, row in enumerate(_DIRECTIONS.split(";")[: num_dimensions - 1], 1):
        polynomial, *first = map(int, row.split())
        degree = len(first)
        numbers[dimension, :degree] = first
        for index in range(degree, BITS):
            value = numbers[dimension, index - degree]
            for step in range(1, degree + 1):
                if polynomial >> (degree - step) & 1:
                    value ^= numbers[dimension, index - step] << step
            numbers[dimension, index] = value
    return numbers << np.arange(BITS - 1, -1, -1)

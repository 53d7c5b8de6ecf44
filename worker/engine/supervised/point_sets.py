"""The point sets of the playground: two classes in the plane, or a number at each point.

They follow the six sets of Smilkov and Carter's Neural Network Playground. Every number of a point is a function of
the seed, the part (0 for training, 1 for testing) and the point's number. Classes alternate.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from worker.engine.numerics.random import POINTS, normals, words

Floats = NDArray[np.float64]
# Uniform numbers in [0, 1) per point, a column each, and classes → points [N, 2].
Draw = Callable[[Floats, Floats, NDArray[np.int64]], Floats]


def circles(first_N: Floats, second_N: Floats, labels_N: NDArray[np.int64]) -> Floats:
    """Class 1 in a disc of radius ½, class 0 in a ring of radius 0.7 to 1, each evenly along its radius."""
    radius_N = np.where(labels_N == 1, 0.5 * first_N, 0.7 + 0.3 * first_N)
    return _polar(radius_N, 2 * np.pi * second_N)


def xor(first_N: Floats, second_N: Floats, labels_N: NDArray[np.int64]) -> Floats:
    """Class 1 in the quadrants where x and y have one sign, class 0 in the others; at least 0.05 from the axes."""
    # One number gives the position along x with its sign; the class then decides the sign of y.
    side_N = np.where(first_N < 0.5, -1.0, 1.0)
    x_N = side_N * (0.05 + 0.95 * np.abs(2 * first_N - 1))
    y_N = side_N * np.where(labels_N == 1, 1.0, -1.0) * (0.05 + 0.95 * second_N)
    return np.stack([x_N, y_N], axis=1)


def gaussians(first_N: Floats, second_N: Floats, labels_N: NDArray[np.int64]) -> Floats:
    """Class 1 around (½, ½), class 0 around (−½, −½), each with standard deviation 0.15 along both axes."""
    radius_N = 0.15 * np.sqrt(-2 * np.log1p(-first_N))
    middle_N = np.where(labels_N == 1, 0.5, -0.5)
    return _polar(radius_N, 2 * np.pi * second_N) + middle_N[:, None]


def spiral(first_N: Floats, second_N: Floats, labels_N: NDArray[np.int64]) -> Floats:
    """Two arms of 1¾ turns from the middle outwards, class 0 opposite to class 1."""
    return _polar(first_N, 1.75 * 2 * np.pi * first_N + np.pi * (1 - labels_N))


def square(first_N: Floats, second_N: Floats, labels_N: NDArray[np.int64]) -> Floats:
    """Points evenly in the square from −1 to 1."""
    return np.stack([2 * first_N - 1, 2 * second_N - 1], axis=1)


def plane(points_N2: Floats) -> Floats:
    """Numbers that rise evenly from −1 at the lower left to 1 at the upper right."""
    numbers_N: Floats = (points_N2[:, 0] + points_N2[:, 1]) / 2
    return numbers_N


def hills(points_N2: Floats) -> Floats:
    """Six cones of radius 0.4 and height 1, three upwards and three downwards, as on a chessboard; 0 between them."""
    heights_NH = np.stack(
        [sign * np.maximum(0, 1 - np.hypot(points_N2[:, 0] - x, points_N2[:, 1] - y) / 0.4) for x, y, sign in HILLS],
        axis=1,
    )
    highest_N: Floats = heights_NH[np.arange(len(heights_NH)), np.abs(heights_NH).argmax(1)]
    return highest_N


HILLS = ((-0.8, 0.5, 1), (0, 0.5, -1), (0.8, 0.5, 1), (-0.8, -0.5, -1), (0, -0.5, 1), (0.8, -0.5, -1))
DATASETS: dict[str, Draw] = {
    "circles": circles,
    "xor": xor,
    "gaussians": gaussians,
    "spiral": spiral,
    "plane": square,
    "hills": square,
}
# The number at each point before noise moves the point.
REGRESSIONS: dict[str, Callable[[Floats], Floats]] = {"plane": plane, "hills": hills}


def draw(
    dataset: str, num: int, noise: float, seed: int, part: int
) -> tuple[Floats, NDArray[np.int64] | NDArray[np.float64]]:
    """Points [N, 2] and their labels [N]: classes 0 or 1, or numbers of a regression.

    `noise` is the deviation of Gaussian noise added to the position of each point.
    """
    labels_N = np.arange(num, dtype=np.int64) % 2
    # Uniform numbers and noise have different steps, so that no random word is used twice.
    seeds, steps = np.array([seed]), np.array([2 * part, 2 * part + 1])
    words_N2 = words(seeds, POINTS, steps[:1], 2 * num)[0, :, 0].reshape(num, 2)
    uniform_N2 = (words_N2 >> np.uint64(11)).astype(np.float64) * 2.0**-53
    points_N2 = DATASETS[dataset](uniform_N2[:, 0], uniform_N2[:, 1], labels_N)
    moved_N2 = points_N2 + noise * normals(seeds, POINTS, steps[1:], 2 * num)[0, :, 0].reshape(num, 2)
    return moved_N2, REGRESSIONS[dataset](points_N2) if dataset in REGRESSIONS else labels_N


def _polar(radius_N: Floats, angle_N: Floats) -> Floats:
    return np.stack([radius_N * np.cos(angle_N), radius_N * np.sin(angle_N)], axis=1)

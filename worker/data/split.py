"""The order in which the rows of a dataset are divided into test, validation and training part."""

import numpy as np
from numpy.typing import NDArray

from worker.engine.numerics.random import SPLIT, permutations


def order(num: int, seed: int, labels_N: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """A random order of rows; with labels, one in which every range has the classes in their proportions.

    Example k of the n of a class, in an order drawn at random, is at position (k + ½)/n of the whole.
    """
    drawn_N: NDArray[np.int64] = permutations(np.array([seed]), np.array([0]), num, stream=SPLIT)[0, :, 0]
    if labels_N is None:
        return drawn_N
    position_N = np.empty(num)
    for label in np.unique(labels_N):
        of_class = drawn_N[labels_N[drawn_N] == label]
        position_N[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
    return drawn_N[np.argsort(position_N[drawn_N], kind="stable")]

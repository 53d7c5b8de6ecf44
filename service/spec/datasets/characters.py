"""The characters of a text by number, as the transformer reads them."""

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.misfit import Misfit
from service.spec.datasets.table import Table
from service.spec.problems.data import Data, portions

# Of the numbers of characters the last one stands for all that the training part lacks.
MAX_CHARACTERS = 512


def num_windows(num_characters: int, context: int) -> int:
    """Count the windows without overlap, each of which predicts the characters one place further."""
    return (num_characters - 1) // context


def vocabulary(problem: Data, table: Table, context: int) -> NDArray[np.uint32]:
    """Code points [V − 1] of the training part's characters, sorted.

    Raises:
        Misfit: The dataset is no text, is too short, or has too many characters.
    """
    codes_N = code_points(table)
    windows = num_windows(len(codes_N), context)
    num = portions(windows, problem.test_share, problem.validation_share or 0.0).training
    if num < 1:
        raise Misfit("dataset", f"the text has {len(codes_N):,} characters: too few for a context of {context:,}")
    num = min(num, problem.train_size or num)
    known: NDArray[np.uint32] = np.unique(codes_N[: num * context + 1])
    if len(known) >= MAX_CHARACTERS:
        raise Misfit("dataset", f"the text has {len(known):,} different characters; at most 511 are allowed")
    return known


def code_points(table: Table) -> NDArray[np.uint32]:
    """Code points [N] of a text; Misfit if the dataset is none."""
    if table.text is None:
        raise Misfit("model", "a transformer is trained on a text, and this dataset has columns")
    return np.frombuffer(table.text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def numbers(codes_N: NDArray[np.uint32], known_V: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Number of each character: its place in the vocabulary, or that after the last one."""
    place_N = np.minimum(np.searchsorted(known_V, codes_N), len(known_V) - 1)
    return np.where(known_V[place_N] == codes_N, place_N, len(known_V))

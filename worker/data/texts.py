"""Windows of a text as training, validation and test examples of a transformer."""

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.characters import code_points, num_windows, numbers, vocabulary
from service.spec.datasets.table import Table
from service.spec.problems.data import Data, portions
from worker.data.tables import Parts
from worker.engine.supervised.setup import Examples


def parts(problem: Data, table: Table, context: int) -> Parts:
    """Divide a text into windows without overlap: training first, then validation, then test.

    Inputs and labels are numbers of characters [N, C]; the label of a character is the next one.

    Raises:
        Misfit: The dataset is no text, or is too short.
    """
    codes_N = code_points(table)
    tokens_N = numbers(codes_N, vocabulary(problem, table, context))
    num = portions(num_windows(len(codes_N), context), problem.test_share, problem.validation_share or 0.0)

    def windows(first: int, count: int) -> Examples | None:
        if not count:
            return None
        begin, end = first * context, (first + count) * context
        return Examples(_windows(tokens_N[begin:end], context), _windows(tokens_N[begin + 1 : end + 1], context))

    training = windows(0, num.training)
    assert training is not None, "a job without training examples is rejected"
    return Parts(
        training.first(problem.train_size),
        windows(num.training, num.validation),
        windows(num.training + num.validation, num.test),
    )


def _windows(tokens_N: NDArray[np.int64], context: int) -> NDArray[np.int64]:
    return tokens_N.reshape(-1, context)

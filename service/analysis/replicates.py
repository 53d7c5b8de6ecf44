"""Seeds that count as replicates: of seeds with equal histories only the first.

Letters: S settings, J seeds, T starts.
"""

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]


def distinct(digest_SJT: Integers) -> Integers:
    """Find the seeds whose histories differ from those of every earlier seed; an unknown history differs from all."""
    num = digest_SJT.shape[1]
    rows_JR = np.ascontiguousarray(digest_SJT.transpose(1, 0, 2).reshape(num, -1))
    known_J = (rows_JR != -1).all(axis=1)
    first = np.sort(np.unique(rows_JR[known_J], axis=0, return_index=True)[1]) if known_J.any() else np.empty(0, int)
    return np.sort(np.concatenate([np.flatnonzero(known_J)[first], np.flatnonzero(~known_J)])).astype(np.int64)

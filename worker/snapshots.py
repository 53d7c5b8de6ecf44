"""The weights of a shard's runs at some epochs, as far as they are trained.

Letters: R runs, E epochs, D parameters.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.spec.snapshots import SNAPSHOTS


class Snapshots:
    """Half-precision weights after each of some epochs, in their order."""

    def __init__(self, epochs: Sequence[int], resumed: Mapping[str, Any] | None = None) -> None:
        self._epochs = epochs
        kept = None if resumed is None else resumed.get(SNAPSHOTS)
        self._weights: list[NDArray[np.float16]] = [] if kept is None else list(kept)
        # A checkpoint of an earlier version has none of the epochs before it.
        self._is_whole = resumed is None or kept is not None

    def take(self, epoch: int, weights: Callable[[], NDArray[np.float32]]) -> None:
        """Take the weights [R, D] after an epoch, if it is one of these."""
        at = len(self._weights)
        if self._is_whole and at < len(self._epochs) and self._epochs[at] == epoch:
            with np.errstate(over="ignore"):
                self._weights.append(weights().astype(np.float16))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give what a checkpoint contains of them."""
        return {SNAPSHOTS: np.stack(self._weights)} if self._weights else {}

    def by_run(self, num_runs: int) -> NDArray[np.float16]:
        """Give the weights [R, E, D] of all epochs; without any where one is missing."""
        if not self._epochs or len(self._weights) < len(self._epochs):
            return np.empty((num_runs, 0, 0), dtype=np.float16)
        return np.stack(self._weights, axis=1)

"""Memory that is used again as soon as nobody reads what it held."""

import weakref
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Bytes of a cache line: no vector is stored across two.
_LINE = 64
# A caller often holds the last epoch of one call while the next one runs.
_MOST = 2


@dataclass
class _Memory:
    """Bytes, and the array that they hold while anybody uses it or a view of it."""

    bytes: NDArray[np.uint8]
    array: weakref.ref[NDArray[np.float64]] | None = None

    @property
    def is_free(self) -> bool:
        return self.array is None or self.array() is None


class Buffer:
    """Gives arrays in memory of earlier ones that are no longer in use.

    New memory costs a page fault for every 4 KB, which takes longer than to fill it.
    """

    def __init__(self) -> None:
        self._memories: list[_Memory] = []

    def array(self, shape: Sequence[int]) -> NDArray[np.float64]:
        """An array of this shape with any contents."""
        num = int(np.prod(shape, dtype=int))
        if not num:
            return np.empty(shape)
        memory = self._memory(num * np.dtype(np.float64).itemsize + _LINE)
        # numpy takes this array for the owner of its memory: views keep it alive.
        array: NDArray[np.float64] = np.frombuffer(
            memory.bytes.data, dtype=np.float64, count=num, offset=-memory.bytes.ctypes.data % _LINE
        )
        memory.array = weakref.ref(array)
        return array.reshape(shape)

    def _memory(self, size: int) -> _Memory:
        """Free memory of at least so many bytes."""
        for one in self._memories:
            if one.is_free and len(one.bytes) >= size:
                return one
        new = _Memory(np.empty(size, dtype=np.uint8))
        self._memories = [one for one in self._memories if not one.is_free or len(one.bytes) >= size]
        self._memories = [*self._memories[1 - _MOST :], new]
        return new

"""A file in memory that gives away what was written, for formats that are written piece by piece."""

import io
from typing import Any


class Drain(io.RawIOBase):
    """A write-only file in memory; ``take`` removes what was written."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """Whether it can be written: yes."""
        return True

    def tell(self) -> int:
        """Count the bytes written so far: the position of what is written next."""
        return self._written

    def write(self, data: Any) -> int:
        """Store a piece."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._written += len(piece)
        return len(piece)

    def take(self) -> bytes:
        """Give the bytes written since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken

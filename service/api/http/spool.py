"""Temporary files of an API process: files that were made for a byte range or for their length, kept for the next one.

A reader of Parquet requests the length, the end and then the columns, in many requests. The file is made once for them.
The files have no names, so that nothing remains of them after the process. Their bytes on disk and the time for which
they are kept are limited. A file that does not fit is not kept; its length is.
"""

import os
import tempfile
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

# Files and lengths that are kept at most; each file is an open one of the process.
MAX_FILES = 64
_PIECE_BYTES = 1 << 20


class SpooledFile:
    """A file of which the length is known, and the bytes if it fits: then ``fd`` is an open file.

    The file is deleted when nobody refers to it.
    """

    def __init__(self, length: int, fd: int | None, used_at: float) -> None:
        self.length, self._fd, self.used_at = length, fd, used_at

    @property
    def has_bytes(self) -> bool:
        """Whether the bytes are kept."""
        return self._fd is not None

    def read(self, first: int, end: int) -> Iterator[bytes]:
        """Give the bytes from ``first`` to before ``end``, in pieces."""
        assert self._fd is not None
        while first < end:
            piece = os.pread(self._fd, min(_PIECE_BYTES, end - first), first)
            yield piece
            first += len(piece)


class Spool:
    """The temporary files of a process.

    Args:
        max_bytes: Bytes on disk of all files together.
        keep_seconds: Time after its last use after which a file is deleted.
    """

    def __init__(self, max_bytes: int, keep_seconds: float) -> None:
        self._max_bytes, self._keep_seconds = max_bytes, keep_seconds
        self._files: dict[str, SpooledFile] = {}
        self._making: dict[str, threading.Lock] = {}
        # Includes files that are not kept any more, while somebody reads them.
        self._num_bytes = 0
        # Reentrant, because a file may be deleted whenever the last reference to it goes.
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    @property
    def num_bytes(self) -> int:
        """Count the bytes on disk."""
        return self._num_bytes

    def find(self, tag: str) -> SpooledFile | None:
        """Give the file with a tag, if it is kept."""
        with self._lock:
            found = self._files.pop(tag, None)
            if found is not None:
                # The last one is the one that was used last.
                self._files[tag] = found
                found.used_at = time.monotonic()
            return found

    def find_or_make(self, tag: str, make: Callable[[], Iterable[bytes]]) -> SpooledFile:
        """Give the file with a tag. It is made once for those who ask at the same time."""
        with self._lock:
            making = self._making.setdefault(tag, threading.Lock())
        with making:
            try:
                found = self.find(tag)
                return self._write(tag, make()) if found is None else found
            finally:
                with self._lock:
                    self._making.pop(tag, None)

    def close(self) -> None:
        """Delete all files that nobody reads."""
        with self._lock:
            self._files.clear()
            if self._timer is not None:
                self._timer.cancel()

    def _write(self, tag: str, pieces: Iterable[bytes]) -> SpooledFile:
        fd = _open_nameless()
        # Not a number, because the callback that deletes the file counts the bytes that it had in the end.
        on_disk = [0]
        made = SpooledFile(0, fd, time.monotonic())
        close = weakref.finalize(made, self._delete, fd, on_disk)
        for piece in pieces:
            made.length += len(piece)
            if made.has_bytes and not self._append(fd, piece, on_disk):
                made._fd = None
                close()
        with self._lock:
            made.used_at = time.monotonic()
            self._files[tag] = made
            while len(self._files) > MAX_FILES:
                self._drop_oldest()
            self._start_timer()
        return made

    def _append(self, fd: int, piece: bytes, on_disk: list[int]) -> bool:
        """Append a piece, if there is room for it once the files used longest ago are deleted."""
        with self._lock:
            while self._num_bytes + len(piece) > self._max_bytes and any(one.has_bytes for one in self._files.values()):
                self._drop_oldest()
            if self._num_bytes + len(piece) > self._max_bytes:
                return False
            self._num_bytes += len(piece)
            on_disk[0] += len(piece)
        try:
            written = memoryview(piece)
            while written:
                written = written[os.write(fd, written) :]
        except OSError:  # The disk is full.
            return False
        return True

    def _drop_oldest(self) -> None:
        del self._files[next(iter(self._files))]

    def _delete(self, fd: int, on_disk: list[int]) -> None:
        with suppress(OSError):
            os.close(fd)
        with self._lock:
            self._num_bytes -= on_disk[0]

    def _start_timer(self) -> None:
        if self._timer is None and self._files:
            self._timer = threading.Timer(self._keep_seconds, self._drop_old)
            self._timer.daemon = True
            self._timer.start()

    def _drop_old(self) -> None:
        with self._lock:
            self._timer = None
            before = time.monotonic() - self._keep_seconds
            self._files = {tag: one for tag, one in self._files.items() if one.used_at > before}
            self._start_timer()


def _open_nameless() -> int:
    fd, path = tempfile.mkstemp(prefix="ravine-export-")
    os.unlink(path)  # noqa: PTH108
    return fd

"""Which pictures are kept, and how many are drawn at once? Drawing takes a processor for a good part of a second."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service.errors import Unavailable

MAX_BYTES = 32 * 1024 * 1024
AT_ONCE = 2
# Whoever waits for longer is told to come back; the threads of the other requests are not used up.
MAX_WAITING, PATIENCE_SECONDS = 8, 20.0


@dataclass(frozen=True)
class Drawn:
    """A picture as it is sent, and its alternative text."""

    data: bytes
    alt: str


class Gallery:
    """The pictures of this process, by their ETag; those that were asked for last are kept."""

    def __init__(self, max_bytes: int = MAX_BYTES, at_once: int = AT_ONCE, max_waiting: int = MAX_WAITING) -> None:
        self._kept: OrderedDict[str, Drawn] = OrderedDict()
        self._max_bytes, self._bytes = max_bytes, 0
        self._turns = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + max_waiting)
        self._lock = threading.Lock()

    def find(self, tag: str) -> Drawn | None:
        """Give a picture that is kept."""
        with self._lock:
            if tag in self._kept:
                self._kept.move_to_end(tag)
            return self._kept.get(tag)

    def draw(self, tag: str, make: Callable[[], Drawn]) -> Drawn:
        """Give the picture of a tag, drawn when it is this request's turn, unless somebody has drawn it meanwhile.

        Raises:
            Unavailable: Too many are waiting already, or waiting took too long.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("too many pictures are being drawn: ask again in a moment")
        try:
            if not self._turns.acquire(timeout=PATIENCE_SECONDS):
                raise Unavailable("the pictures before this one take too long: ask again in a moment")
            try:
                return self.find(tag) or self._keep(tag, make())
            finally:
                self._turns.release()
        finally:
            self._places.release()

    def _keep(self, tag: str, drawn: Drawn) -> Drawn:
        with self._lock:
            if tag not in self._kept:
                self._kept[tag] = drawn
                self._bytes += len(drawn.data)
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= len(oldest.data)
        return drawn

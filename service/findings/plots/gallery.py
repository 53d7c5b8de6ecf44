"""Cache of pictures, and the limit of concurrent drawing; drawing a picture takes several tenths of a second."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from service.errors import Unavailable

MAX_BYTES = 32 * 1024 * 1024
AT_ONCE = 2
# Limits of waiting requests, so that they do not occupy all threads; others are answered with 503.
MAX_WAITING, PATIENCE_SECONDS = 8, 20.0


@dataclass(frozen=True)
class Drawn:
    """The bytes of a picture, and its alternative text."""

    data: bytes
    alt: str


class Gallery:
    """Cache of the pictures of this process by ETag; the least recently requested ones are removed."""

    def __init__(self, max_bytes: int = MAX_BYTES, at_once: int = AT_ONCE, max_waiting: int = MAX_WAITING) -> None:
        self._kept: OrderedDict[str, Drawn] = OrderedDict()
        self._max_bytes, self._bytes = max_bytes, 0
        self._turns = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + max_waiting)
        self._lock = threading.Lock()

    def find(self, tag: str) -> Drawn | None:
        """Give a picture from the cache, or None."""
        with self._lock:
            if tag in self._kept:
                self._kept.move_to_end(tag)
            return self._kept.get(tag)

    def draw(self, tag: str, make: Callable[[], Drawn]) -> Drawn:
        """Give the picture of a tag: wait for a turn, then draw it unless another request has drawn it meanwhile.

        Raises:
            Unavailable: Too many requests wait, or the wait was too long.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("too many pictures are being drawn: try again in a moment")
        try:
            if not self._turns.acquire(timeout=PATIENCE_SECONDS):
                raise Unavailable("the pictures before this one take too long: try again in a moment")
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

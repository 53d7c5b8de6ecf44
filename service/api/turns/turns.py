"""Turns: a bounded number of requests work at once; the others wait in the event loop, without a thread.

Keys are served in rotation, and the requests of a key in the order of their arrival. So another key waits at most for
the work in progress, however long the line of a key is.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.api.turns.disconnects import disconnected
from service.errors import TooBusy, TooManyWaiting


class Turns:
    """The turns of one kind of work. All methods belong to the event loop."""

    def __init__(self, kind: str, *, at_once: int, max_waiting: int, wait_seconds: float) -> None:
        """Allow ``at_once`` turns at once, half of them (rounded up) to one key.

        Args:
            kind: The kind of work in the plural, such as "comparisons", for messages.
            at_once: Number of turns at once.
            max_waiting: Number of requests of one key that may wait.
            wait_seconds: Longest wait.
        """
        self.at_once, self.per_key = at_once, (at_once + 1) // 2
        self._kind, self._max_waiting, self._wait_seconds = kind, max_waiting, wait_seconds
        self._num_taken = 0
        self._taken: Counter[str] = Counter()
        # The lines of the keys in the order in which they are served. No line is empty.
        self._lines: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def take(self, key: str, request: Request | None = None) -> AsyncIterator[None]:
        """Hold a turn for the block; errors as in ``acquire``."""
        await self.acquire(key, request)
        try:
            yield
        finally:
            self.release(key)

    async def acquire(
        self,
        key: str,
        request: Request | None = None,
        *,
        unless: asyncio.Future[Any] | None = None,
        has_begun: bool = False,
    ) -> bool:
        """Wait for a turn, to be given back with ``release``.

        Args:
            key: The key of the caller.
            request: If given, the request leaves the line when its client disconnects. Its body must have been read.
            unless: If this future is done first, no turn is taken, and the answer is False.
            has_begun: Whether the turn continues work that has begun, so that neither line nor wait are limited.

        Raises:
            TooManyWaiting: Too many requests of the key wait.
            TooBusy: The wait took too long.
            ClientDisconnect: The client of the request has disconnected.
        """
        if self.acquire_now(key):
            return True
        if not has_begun and self.num_waiting(key) >= self._max_waiting:
            raise TooManyWaiting(
                f"{self._max_waiting} requests of this key for {self._kind} wait already, and more may not: "
                "await their answers, then try again"
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(turn)
        leaving = None if request is None else asyncio.create_task(disconnected(request))
        try:
            await asyncio.wait(
                {one for one in (turn, leaving, unless) if one is not None},
                timeout=None if has_begun else self._wait_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if unless is not None and unless.done():
                self._leave(key, turn)
                return False
            if turn.done():
                return True
            if leaving is not None and leaving.done():
                raise ClientDisconnect
            raise TooBusy(
                f"other requests for {self._kind} have taken all turns for {self._wait_seconds:g} s: try again later"
            )
        except BaseException:
            self._leave(key, turn)
            raise
        finally:
            if leaving is not None:
                leaving.cancel()

    def acquire_now(self, key: str) -> bool:
        """Take a turn if one is free and no earlier request of the key waits."""
        if key in self._lines or not self._is_free(key):
            return False
        self._give(key)
        return True

    def release(self, key: str) -> None:
        """Give a turn back. The first key of the rotation that may have one more gets it."""
        self._num_taken -= 1
        self._taken[key] -= 1
        if not self._taken[key]:
            del self._taken[key]
        while (following := next((one for one in self._lines if self._is_free(one)), None)) is not None:
            line = self._lines.pop(following)
            turn = line.popleft()
            if line:
                # Behind all other keys.
                self._lines[following] = line
            self._give(following)
            turn.set_result(None)

    def num_waiting(self, key: str) -> int:
        """Count the waiting requests of a key."""
        return len(self._lines.get(key, ()))

    def _is_free(self, key: str) -> bool:
        return self._num_taken < self.at_once and self._taken[key] < self.per_key

    def _give(self, key: str) -> None:
        self._num_taken += 1
        self._taken[key] += 1

    def _leave(self, key: str, turn: asyncio.Future[None]) -> None:
        """Leave the line, or give the turn back that has come meanwhile."""
        if turn.done():
            self.release(key)
            return
        line = self._lines[key]
        line.remove(turn)
        if not line:
            del self._lines[key]

"""Answers in pieces: each piece has a turn of its own, so that slow clients hold neither a turn nor a thread.

An open stream holds some memory, so their number is bounded too. An answer of one piece opens no stream.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from service.api.turns.turns import Turns

Found = TypeVar("Found")


@dataclass(frozen=True)
class Pieces:
    """The body of an answer in pieces, and its headers."""

    body: Iterator[bytes]
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


class Streams:
    """The streams of one process."""

    def __init__(self, places: Turns, turns: Turns) -> None:
        """Make open streams hold one of ``places``, and pieces be produced in ``turns``."""
        self._places, self._turns = places, turns
        self._limiter: CapacityLimiter | None = None

    async def answer(self, request: Request, key: str, make: Callable[[], Response | Pieces]) -> Response:
        """Give the answer that a function makes in a thread: as it is, or in pieces.

        An error before the second piece is answered as any other error; after that the connection is closed.

        Raises:
            TooManyWaiting, TooBusy, ClientDisconnect: As in ``Turns.acquire``.
        """
        begun = await self._begin(request, key, make)
        if isinstance(begun, _Begun) and not self._places.acquire_now(key):
            begun.close()
            # A request that waits holds no data: neither the generator nor the pieces that it has produced.
            del begun
            await self._places.acquire(key, request)
            try:
                begun = await self._begin(request, key, make)
            except BaseException:
                self._places.release(key)
                raise
            if isinstance(begun, Response):
                self._places.release(key)
        if isinstance(begun, Response):
            return begun
        return _Streamed(self, key, begun)

    async def _begin(self, request: Request, key: str, make: Callable[[], Response | Pieces]) -> "Response | _Begun":
        async with self._turns.take(key, request):
            return await self._in_thread(lambda: _begin(make()))

    async def next(self, key: str, pieces: Iterator[bytes]) -> bytes | None:
        """Produce a piece in a turn; None at the end."""
        await self._turns.acquire(key, has_begun=True)
        try:
            return await self._in_thread(lambda: next(pieces, None))
        finally:
            self._turns.release(key)

    def end(self, key: str) -> None:
        """Give the place of a stream back."""
        self._places.release(key)

    async def _in_thread(self, work: Callable[[], Found]) -> Found:
        if self._limiter is None:
            # Beside the threads of all other requests.
            self._limiter = CapacityLimiter(self._turns.at_once)
        return await to_thread.run_sync(work, limiter=self._limiter)


@dataclass(frozen=True)
class _Begun:
    """An answer of several pieces, two of which were produced."""

    pieces: Pieces
    produced: tuple[bytes, bytes]

    def close(self) -> None:
        """End the production of pieces."""
        close = getattr(self.pieces.body, "close", None)
        # When the server stops, a thread may still produce a piece; then the generator cannot be closed.
        with suppress(ValueError):
            if close is not None:
                close()


def _begin(made: Response | Pieces) -> Response | _Begun:
    """Produce the first two pieces; if there is no second, the answer is whole."""
    if isinstance(made, Response):
        return made
    first = next(made.body, b"")
    second = next(made.body, None)
    if second is None:
        return Response(first, made.status, dict(made.headers), made.media_type)
    return _Begun(made, (first, second))


class _Streamed(StreamingResponse):
    """A stream. Its place is given back at its end, also if the client disconnects."""

    def __init__(self, streams: Streams, key: str, begun: _Begun) -> None:
        pieces = begun.pieces
        super().__init__(self._pieces(), pieces.status, dict(pieces.headers), pieces.media_type)
        self._streams, self._key, self._begun = streams, key, begun

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._begun.close()
            self._streams.end(self._key)

    async def _pieces(self) -> AsyncIterator[bytes]:
        for piece in self._begun.produced:
            yield piece
        while (following := await self._streams.next(self._key, self._begun.pieces.body)) is not None:
            yield following

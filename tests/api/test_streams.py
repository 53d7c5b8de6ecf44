"""Answers in pieces: a turn for each piece, a bounded number of streams, and places that are given back."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from fastapi import Response
from starlette.types import Message

from service.api.turns.streams import Pieces, Streams
from service.api.turns.turns import Turns
from service.errors import NotFound
from tests.api.clients import Client, settle


class Piece(bytes):
    """Bytes that count how many of them are in memory."""

    held = 0

    def __init__(self, _: bytes) -> None:
        Piece.held += 1

    def __del__(self) -> None:
        Piece.held -= 1


class Asked:
    """Streams of which one key may have one open, and whose pieces one thread produces."""

    def __init__(self, at_once: int = 2) -> None:
        self.places, self.turns = (
            Turns(kind, at_once=at_once, max_waiting=100, wait_seconds=60.0) for kind in ("streams", "pieces")
        )
        self.streams = Streams(self.places, self.turns)
        self.made, self.open, self.most_open = 0, 0, 0

    def make(self, num_pieces: int) -> Callable[[], Pieces]:
        def pieces() -> Iterator[bytes]:
            self.open += 1
            self.most_open = max(self.open, self.most_open)
            try:
                for number in range(num_pieces):
                    yield Piece(b"%d" % number)
            finally:
                self.open -= 1

        def make() -> Pieces:
            self.made += 1
            return Pieces(pieces(), "text/csv", {"X-Name": "value"})

        return make

    async def answer(self, num_pieces: int, key: str = "a", client: Client | None = None) -> Response:
        return await self.streams.answer((client or Client()).request, key, self.make(num_pieces))


class Reader:
    """A client that reads a stream piece by piece."""

    def __init__(self, response: Response) -> None:
        self._may_read, self.read = asyncio.Semaphore(0), list[bytes]()
        self._left = asyncio.Event()
        self.task = asyncio.create_task(response({"type": "http", "asgi": {}}, self._receive, self._send))

    async def _receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.body" and message["body"]:
            await self._may_read.acquire()
            self.read.append(message["body"])

    def let_read(self, num_pieces: int) -> None:
        for _ in range(num_pieces):
            self._may_read.release()

    def leave(self) -> None:
        self._left.set()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30.0))


def test_an_answer_of_one_piece_is_whole_and_opens_no_stream() -> None:
    async def test() -> None:
        asked = Asked()
        await asked.places.acquire("a")
        for num_pieces, body in ((0, b""), (1, b"0")):
            found = await asked.answer(num_pieces)
            assert found.body == body
            assert found.headers["content-length"] == str(len(body))
            assert found.headers["x-name"] == "value"
            assert found.headers["content-type"].startswith("text/csv")
        assert asked.open == 0

    run(test)


def test_a_stream_gives_all_pieces_and_its_place_back() -> None:
    async def test() -> None:
        asked = Asked()
        reader = Reader(await asked.answer(5))
        assert not asked.places.acquire_now("a")
        reader.let_read(5)
        await reader.task
        assert reader.read == [b"0", b"1", b"2", b"3", b"4"]
        assert asked.open == 0
        assert asked.places.acquire_now("a")

    run(test)


def test_a_slow_reader_holds_neither_turn_nor_thread_of_others() -> None:
    async def test() -> None:
        asked = Asked()
        slow = Reader(await asked.answer(100))
        slow.let_read(3)
        while len(slow.read) < 3:
            await asyncio.sleep(0.001)
        await settle()
        before = threading.active_count()
        assert (await asked.answer(1)).body == b"0"
        quick = Reader(await asked.answer(50, "b"))
        quick.let_read(50)
        await quick.task
        assert len(quick.read) == 50
        assert threading.active_count() == before
        slow.leave()
        await slow.task

    run(test)


def test_a_client_that_disconnects_ends_its_stream() -> None:
    async def test() -> None:
        asked = Asked()
        reader = Reader(await asked.answer(100))
        reader.leave()
        await reader.task
        assert asked.open == 0
        assert asked.places.acquire_now("a")
        assert asked.turns.acquire_now("a")

    run(test)


def test_streams_beyond_the_bound_of_a_key_wait_without_data() -> None:
    async def test() -> None:
        asked = Asked()
        first = Reader(await asked.answer(10))
        waiting = [asyncio.create_task(asked.answer(10)) for _ in range(5)]
        while asked.places.num_waiting("a") < 5:
            await asyncio.sleep(0.001)
        assert asked.open == 1
        # The first two pieces of the open stream; those that were produced to see whether there is a second are gone.
        assert Piece.held == 2
        other = Reader(await asked.answer(10, "b"))
        for reader in (first, other):
            reader.let_read(10)
            await reader.task
        for one in waiting:
            reader = Reader(await one)
            reader.let_read(10)
            await reader.task
            assert len(reader.read) == 10
        # Two streams, and one that has produced its first pieces before it waits.
        assert asked.most_open <= 3
        assert asked.open == 0

    run(test)


def test_an_error_before_the_second_piece_is_an_error_of_the_request_and_holds_nothing() -> None:
    async def test() -> None:
        asked = Asked()

        def fail() -> Pieces:
            raise NotFound("there is no job")

        def broken() -> Iterator[bytes]:
            yield b"0"
            raise NotFound("the job was deleted")

        for make in (fail, lambda: Pieces(broken(), "text/csv")):
            with pytest.raises(NotFound):
                await asked.streams.answer(Client().request, "a", make)
        assert asked.turns.acquire_now("a")
        assert asked.places.acquire_now("a")

    run(test)


def test_an_error_in_a_stream_breaks_the_connection_and_gives_the_place_back() -> None:
    async def test() -> None:
        asked = Asked()

        def broken() -> Iterator[bytes]:
            yield from (b"0", b"1")
            raise NotFound("the job was deleted")

        reader = Reader(await asked.streams.answer(Client().request, "a", lambda: Pieces(broken(), "text/csv")))
        reader.let_read(3)
        with pytest.raises(NotFound):
            await reader.task
        assert asked.places.acquire_now("a")
        assert asked.turns.acquire_now("a")

    run(test)

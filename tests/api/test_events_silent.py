"""Event streams without data, and answers whose client reads nothing."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress

import httpx
import pytest
import uvicorn
from uvicorn.server import ServerState

from service.api.app import create_app
from service.api.doors import limited_protocol
from service.cli.local.connection import Connection
from service.database.connection import Database
from service.settings import Settings
from tests.api.sockets import ask_for_events, connect
from tests.servers import Api, Broker, until
from tests.stored import Stored

PING_SECONDS = 0.2
# On a busy machine the slow client may read late.
STALLED_SECONDS = 2.0


@pytest.fixture(scope="module")
def api(new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with short intervals for comments and stalled clients."""
    env = {"RAVINE_PING_SECONDS": str(PING_SECONDS), "RAVINE_STALLED_SECONDS": str(STALLED_SECONDS)}
    folder = tmp_path_factory.mktemp("silent")
    with Api(new_database("sqlite"), broker.new_url(), folder, env=env) as running:
        yield running


@pytest.fixture
def api_database(api: Api, open_database: Callable[[str], Database]) -> Database:
    return open_database(api.database_url)


def test_a_silent_stream_sends_comments_at_the_interval_of_the_setting(api: Api, api_database: Database) -> None:
    stored = Stored(api_database)
    url = f"{api.url}/v1/jobs/{stored.id}/events"
    pings: list[float] = []
    with httpx.stream("GET", url, trust_env=False, timeout=10.0) as answer:
        for line in answer.iter_lines():
            assert not pings or line.startswith(":") or not line
            if line.startswith(":"):
                pings.append(time.monotonic())
            if len(pings) == 4:
                break
    # They may arrive late on a busy machine, in particular the first one, but not more often.
    assert pings[-1] - pings[0] > 2 * PING_SECONDS


def test_by_default_comments_come_after_10_s_and_stalled_answers_end_after_60_s() -> None:
    assert Settings.model_fields["ping_seconds"].default == 10.0
    assert Settings.model_fields["stalled_seconds"].default == 60.0


@pytest.mark.slow
def test_only_an_answer_whose_client_reads_nothing_is_closed(api: Api, api_database: Database) -> None:
    stored = Stored(api_database, epochs=40_000)
    with ExitStack() as streams:
        never, slow, quick, table = (streams.enter_context(closing(connect(api.url))) for _ in range(4))
        for reader in (never, slow, quick):
            ask_for_events(reader, stored.id)
        slows: list[int] = []
        is_enough = threading.Event()

        def read_slowly() -> None:
            while not is_enough.wait(PING_SECONDS):
                slows.append(len(slow.recv(4_096)))

        reading = threading.Thread(target=read_slowly)
        # Both read while the rows are stored, which may take longer than a silent client has.
        reading_at_once = streams.enter_context(ThreadPoolExecutor(1)).submit(read_to_the_end, quick)
        reading.start()
        streams.callback(reading.join)
        streams.callback(is_enough.set)
        stored.finish()
        table.sendall(f"GET /v1/jobs/{stored.id}/metrics?format=csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        received_by_quick = reading_at_once.result()
        assert received_by_quick.endswith(b"0\r\n\r\n")
        # The data of the last event are the whole job.
        assert b"event: end" in received_by_quick[-4_000:]
        until(lambda: api.log().count("read nothing") >= 2)
        until(lambda: len(slows) * PING_SECONDS > 4 * STALLED_SECONDS)
        # The events and the table that nobody read; not the slow client, which has read a part of each piece.
        assert api.log().count("read nothing") == 2
        assert all(slows)
        assert sum(slows) < len(received_by_quick) / 2
        # The megabytes in the buffers of the kernel arrive; the rest and the end of the stream do not.
        for stalled in (never, table):
            received = read_all(stalled)
            assert len(received) < 0.9 * len(received_by_quick)
            assert not received.endswith(b"0\r\n\r\n")


def test_the_rest_of_an_answer_that_nobody_reads_is_limited_too(monkeypatch: pytest.MonkeyPatch) -> None:
    # Less than the bytes at which the server stops writing.
    monkeypatch.setattr(limited_protocol, "get_settings", lambda: Settings(stalled_seconds=0.2))
    config = uvicorn.Config(create_app)
    config.load()

    async def leave_a_rest() -> None:
        loop, opened = asyncio.get_running_loop(), []

        def make() -> Connection:
            opened.append(Connection(config=config, server_state=ServerState(), app_state={}))
            return opened[0]

        server = await loop.create_server(make, "127.0.0.1", 0)
        with closing(connect(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")):
            while not opened:
                await asyncio.sleep(0.01)
            while not opened[0].transport.get_write_buffer_size():
                opened[0].transport.write(b"x" * 1_000)
                await asyncio.sleep(0)
            opened[0].on_response_complete()
            async with asyncio.timeout(20):
                while not opened[0].transport.is_closing():
                    await asyncio.sleep(0.01)
        server.close()

    asyncio.run(leave_a_rest())


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read an answer of chunks to its last one, or to the end of the connection."""
    received = bytearray()
    while not received.endswith(b"0\r\n\r\n") and (piece := connection.recv(1 << 20)):
        received += piece
    return bytes(received)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(1 << 20):
            received += piece
    return received

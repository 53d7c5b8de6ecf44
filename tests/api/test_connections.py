"""Limits of the number of connections, and clients that write a whole body before they read the answer."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.hostile_clients import (
    LINE,
    MEGABYTE,
    connect,
    problem_of,
    read_all,
)
from tests.servers import Api, Broker

# Few connections, and time to open them all.
FEW = {
    "RAVINE_HEADER_SECONDS": "3",
    "RAVINE_MAX_CONNECTIONS_PER_ADDRESS": "40",
    "RAVINE_MAX_CONNECTIONS": "60",
}


@pytest.fixture
def narrow(new_database: Callable[[str], str], broker: Broker, tmp_path: Path) -> Iterator[Api]:
    """An API that admits few connections."""
    with Api(new_database("sqlite"), broker.new_url(), tmp_path, env=FEW) as running:
        yield running


def test_half_open_connections_leave_others_alone_and_end(narrow: Api) -> None:
    with ExitStack() as opened:
        half_open = [opened.enter_context(connect(narrow)) for _ in range(40)]
        for connection in half_open:
            connection.sendall(b"GET / HTTP/1.1\r\nHost:")
        with connect(narrow) as one_more:
            problem = problem_of(read_all(one_more))
        assert problem["status"] == 503
        assert "of this address" in problem["detail"]
        # Other addresses are served until the limit of all connections.
        assert httpx.get(f"{narrow.url}/healthz", trust_env=False).status_code == 200
        for connection in half_open:
            assert b" 408 " in read_all(connection)[:100]
    with connect(narrow) as connection:
        connection.sendall(LINE + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_more_connections_than_the_limit_are_503_with_retry_after(narrow: Api) -> None:
    with ExitStack() as opened:
        for number in range(60):
            opened.enter_context(connect(narrow, f"127.0.0.{3 + number % 2}"))
        with connect(narrow, "127.0.0.5") as one_more:
            received = read_all(one_more)
    assert "in all" in problem_of(received)["detail"]
    assert b"Retry-After: " in received


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("in_chunks", [False, True], ids=["with its length", "in chunks"])
def test_a_client_that_writes_before_it_reads_gets_the_413(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path, in_chunks: bool
) -> None:
    body = b"x" * 12 * MEGABYTE
    content: Any = iter([body[at : at + 65_536] for at in range(0, len(body), 65_536)]) if in_chunks else body
    with Api(new_database("sqlite"), broker.new_url(), tmp_path) as api:
        # urllib closes the connection after each request.
        request = urllib.request.Request(f"{api.url}/v1/jobs", content, {"Content-Type": "application/json"})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=30)
        assert caught.value.code == 413
        assert json.load(caught.value)["status"] == 413
        # The body was read to its end, and the connection is used again.
        with httpx.Client(base_url=api.url, trust_env=False) as client:
            assert client.post("/v1/jobs", content=body).status_code == 413
            assert client.get("/healthz").status_code == 200

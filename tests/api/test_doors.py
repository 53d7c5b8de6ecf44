"""Limits of connections: of bytes and headers before a request, of waiting times, and of the number of connections.

Hostile clients send from 127.0.0.2, so that they do not use up the connections of the others.
"""

import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import Api, Broker, until

MEGABYTE = 1_048_576
# Beyond these bytes nothing is discarded. The kernel's buffers on both sides hold some megabytes more.
DISCARDED = MEGABYTE
MAX_SENT = 16 * MEGABYTE
LINE = b"GET /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
ENV = {
    "RAVINE_DISCARD_BYTES": str(DISCARDED),
    "RAVINE_DISCARD_SECONDS": "1",
    "RAVINE_HEADER_SECONDS": "1",
    "RAVINE_BODY_SECONDS": "1",
}
# Few connections, and time to open them all.
FEW = {
    "RAVINE_HEADER_SECONDS": "3",
    "RAVINE_MAX_CONNECTIONS_PER_ADDRESS": "40",
    "RAVINE_MAX_CONNECTIONS": "60",
}


@pytest.fixture(scope="module")
def api(new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with short waiting times."""
    with Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("doors"), env=ENV) as running:
        yield running


@pytest.fixture
def narrow(new_database: Callable[[str], str], broker: Broker, tmp_path: Path) -> Iterator[Api]:
    """An API that admits few connections."""
    with Api(new_database("sqlite"), broker.new_url(), tmp_path, env=FEW) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=30.0, trust_env=False) as opened:
        yield opened


def connect(api: Api, address: str = "127.0.0.2") -> socket.socket:
    return socket.create_connection(("127.0.0.1", api.port), timeout=20, source_address=(address, 0))


def read_all(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass  # The server closed it before it had read everything.
    return received


def problem_of(received: bytes) -> dict[str, Any]:
    """Check the form of an error, and give it."""
    head, _, body = received.partition(b"\r\n\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in head.split(b"\r\n")[1:])}
    assert headers[b"content-type"] == b"application/problem+json", received[:300]
    assert headers[b"connection"] == b"close"
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert int(headers[b"content-length"]) == len(body)
    problem: dict[str, Any] = json.loads(body)
    assert {"type", "title", "status", "detail", "instance"} == set(problem)
    assert head.split()[1] == str(problem["status"]).encode()
    return problem


def send_until_closed(connection: socket.socket, begin: bytes, piece: bytes, size: int) -> int:
    """Send ``begin``, then ``piece`` repeatedly up to ``size`` bytes; give the bytes sent before the server closed."""
    block = piece * (65_536 // len(piece))
    sent = 0
    try:
        connection.sendall(begin)
        while sent < size:
            sent += connection.send(block)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


FLOODS = [
    ("a long header", LINE + b"X-Long: ", b"x", 50 * MEGABYTE, 431),
    ("a longer header", LINE + b"X-Long: ", b"x", 200 * MEGABYTE, 431),
    ("a long name of a header", LINE, b"x", 50 * MEGABYTE, 431),
    ("a million short headers", LINE, b"a: b\r\n", 50 * MEGABYTE, 431),
    ("a long URL", b"GET /v1/jobs?name=", b"x", 50 * MEGABYTE, 414),
    ("empty lines", b"\r\n", b"\r\n", 50 * MEGABYTE, 431),
    (
        "a long trailer",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Long: ",
        b"x", 50 * MEGABYTE, 431,
    ),
    (
        "a long chunk extension",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=",
        b"x", 50 * MEGABYTE, 431,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("begin", "piece", "size", "status"), [flood[1:] for flood in FLOODS], ids=[flood[0] for flood in FLOODS]
)
def test_endless_bytes_before_a_request_are_refused_and_not_read(
    api: Api, client: httpx.Client, begin: bytes, piece: bytes, size: int, status: int
) -> None:
    before = cpu_seconds(api)
    with connect(api) as connection:
        assert send_until_closed(connection, begin, piece, size) < MAX_SENT
    assert client.get("/healthz").status_code == 200
    # Discarding a megabyte takes milliseconds; parsing what the limit refuses took seconds.
    assert cpu_seconds(api) - before < 0.25
    # The answer, for a client that sends little more than is allowed.
    with connect(api) as connection:
        connection.sendall(begin + piece * (150_000 // len(piece)))
        assert problem_of(read_all(connection))["status"] == status


def cpu_seconds(api: Api) -> float:
    """Give the processor time of the API."""
    fields = Path(f"/proc/{api.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_as_many_bytes_and_headers_as_allowed_are_accepted(api: Api) -> None:
    for headers in (
        b"X-Long: " + b"x" * (65_536 - len(LINE) - 12) + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(99)),
    ):
        with connect(api) as connection:
            connection.sendall(LINE + headers + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with connect(api) as connection:
        url = b"/v1/jobs?name=" + b"x" * (32_768 - 14)
        connection.sendall(b"GET " + url + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(100).startswith((b"HTTP/1.1 200", b"HTTP/1.1 422"))


def test_one_more_is_refused(api: Api) -> None:
    for request, status in (
        (LINE + b"X-Long: " + b"x" * (65_536 - len(LINE) - 11) + b"\r\n\r\n", 431),
        (LINE + b"".join(b"X-%d: y\r\n" % number for number in range(100)) + b"\r\n", 431),
        (b"GET /v1/jobs?name=" + b"x" * (32_769 - 14) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
    ):
        with connect(api) as connection:
            connection.sendall(request)
            assert problem_of(read_all(connection))["status"] == status


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /v1/jobs\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        LINE + b"Content-Length: x\r\n\r\n",
        LINE + b"No colon\r\n\r\n",
        b"CONNECT a:b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nno length\r\n",
    ],
)
def test_a_request_that_is_not_http_is_400_as_a_problem(api: Api, request_bytes: bytes) -> None:
    with connect(api) as connection:
        connection.sendall(request_bytes)
        assert problem_of(read_all(connection))["status"] == 400


@pytest.mark.parametrize("begin", [b"G", LINE, LINE + b"X-Half: ", b"\r\n"])
def test_incomplete_headers_are_408_after_the_time_for_them(api: Api, begin: bytes) -> None:
    with connect(api) as connection:
        connection.sendall(begin)
        assert problem_of(read_all(connection))["status"] == 408


def test_slow_headers_do_not_extend_the_time(api: Api) -> None:
    with connect(api) as connection:
        connection.settimeout(0.1)
        connection.sendall(LINE)

        def is_answered() -> bytes:
            connection.sendall(b"X: y\r\n")
            try:
                return connection.recv(65_536)
            except TimeoutError:
                return b""

        assert until(is_answered, seconds=10).startswith(b"HTTP/1.1 408")


def test_a_second_request_on_a_connection_has_the_same_time(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(LINE.replace(b"/v1/jobs", b"/healthz") + b"\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET")
        assert b"HTTP/1.1 408" in read_all(connection)


def test_a_connection_without_a_byte_is_closed(api: Api) -> None:
    with connect(api) as connection:
        assert read_all(connection) == b""


@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"])
def test_a_body_without_a_further_byte_is_408(api: Api, framing: bytes) -> None:
    with connect(api) as connection:
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n" + framing)
        problem = problem_of(read_all(connection))
    assert problem["status"] == 408
    assert problem["instance"] == "/v1/jobs"


def test_a_slow_body_is_accepted(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 7\r\n\r\n")
        for byte in b'{"a":1}':
            # Shorter than the limit; all together are longer.
            time.sleep(0.2)
            connection.sendall(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 422")


def test_requests_that_await_earlier_ones_are_limited(api: Api, client: httpx.Client) -> None:
    request = LINE + b"\r\n"
    with connect(api) as connection:
        connection.sendall(request * 32 + LINE + b"Connection: close\r\n\r\n")
        assert read_all(connection).count(b"HTTP/1.1 200") == 33
    before = cpu_seconds(api)
    with connect(api) as connection:
        assert send_until_closed(connection, request, request, 50 * MEGABYTE) < MAX_SENT
    assert client.get("/healthz").status_code == 200
    assert cpu_seconds(api) - before < 0.25


def test_an_event_stream_outlasts_the_waiting_times(api: Api, client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    with connect(api) as connection:
        connection.sendall(f"GET /v1/jobs/{job['id']}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        connection.settimeout(3)
        with pytest.raises(TimeoutError):
            read_all(connection)


SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}


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


def test_an_endless_body_is_discarded_up_to_the_limit(api: Api) -> None:
    with connect(api) as connection:
        begin = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n"
        assert send_until_closed(connection, begin, b"x", 200 * MEGABYTE) < MAX_SENT


def test_a_client_that_stops_in_a_refused_body_is_disconnected(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\nx")
        assert read_all(connection).startswith(b"HTTP/1.1 413")

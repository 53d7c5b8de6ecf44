"""Limits of the bytes of a request: before it exists, and of a body that nobody reads."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.api.hostile_clients import (
    LINE,
    MAX_SENT,
    MEGABYTE,
    SHORT_TIMES,
    connect,
    cpu_seconds,
    problem_of,
    read_all,
    send_until_closed,
)
from tests.servers import Api, Broker


@pytest.fixture(scope="module")
def api(new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with short waiting times."""
    with Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("doors"), env=SHORT_TIMES) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=30.0, trust_env=False) as opened:
        yield opened


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


@pytest.mark.slow(after=1)
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


def test_as_many_bytes_and_headers_as_allowed_are_accepted(api: Api) -> None:
    for headers in (
        b"X-Long: " + b"x" * (65_536 - len(LINE) - 12) + b"\r\n",
        b"".join(b"X-%d: y\r\n" % number for number in range(99)),
    ):
        with connect(api) as connection:
            connection.sendall(LINE + headers + b"\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 200")
    with connect(api) as connection:
        url = b"/v1/jobs?name=" + b"x" * (16_384 - 14)
        connection.sendall(b"GET " + url + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(100).startswith((b"HTTP/1.1 200", b"HTTP/1.1 422"))


def test_one_more_is_refused(api: Api) -> None:
    for request, status in (
        (LINE + b"X-Long: " + b"x" * (65_536 - len(LINE) - 11) + b"\r\n\r\n", 431),
        (LINE + b"".join(b"X-%d: y\r\n" % number for number in range(100)) + b"\r\n", 431),
        (b"GET /v1/jobs?name=" + b"x" * (16_385 - 14) + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", 414),
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


def test_an_endless_body_is_discarded_up_to_the_limit(api: Api) -> None:
    with connect(api) as connection:
        begin = b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\n"
        assert send_until_closed(connection, begin, b"x", 200 * MEGABYTE) < MAX_SENT


def test_a_client_that_stops_in_a_refused_body_is_disconnected(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000000\r\n\r\nx")
        assert read_all(connection).startswith(b"HTTP/1.1 413")

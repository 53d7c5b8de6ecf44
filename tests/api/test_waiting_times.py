"""Limits of the time for the headers and between two bytes of a body."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.api.hostile_clients import (
    LINE,
    SHORT_TIMES,
    connect,
    problem_of,
    read_all,
)
from tests.servers import Api, Broker, until


@pytest.fixture(scope="module")
def api(new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """An API with short waiting times."""
    with Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("doors"), env=SHORT_TIMES) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=api.url, timeout=30.0, trust_env=False) as opened:
        yield opened


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


@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/datasets"])
@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"])
def test_a_body_without_a_further_byte_is_408(api: Api, framing: bytes, path: str) -> None:
    with connect(api) as connection:
        begin = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/csv\r\n"
        connection.sendall(begin.encode() + framing)
        problem = problem_of(read_all(connection))
    assert problem["status"] == 408
    assert problem["instance"] == path


def test_a_slow_body_is_accepted(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 7\r\n\r\n")
        for byte in b'{"a":1}':
            # Shorter than the limit; all together are longer.
            time.sleep(0.2)
            connection.sendall(bytes([byte]))
        assert connection.recv(100).startswith(b"HTTP/1.1 422")


@pytest.mark.slow
def test_an_event_stream_outlasts_the_waiting_times(api: Api, client: httpx.Client) -> None:
    job = client.post("/v1/jobs", json=SPEC).json()
    with connect(api) as connection:
        connection.sendall(f"GET /v1/jobs/{job['id']}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        connection.settimeout(3)
        with pytest.raises(TimeoutError):
            read_all(connection)


SPEC = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}

"""Clients on plain sockets that send what no library sends, from 127.0.0.2.

That address is theirs alone, so that they do not use up the connections of other clients.
"""

import json
import socket
from pathlib import Path
from typing import Any

from tests.servers import Api

MEGABYTE = 1_048_576
# Beyond these bytes nothing is discarded. The kernel's buffers on both sides hold some megabytes more.
DISCARDED = MEGABYTE
MAX_SENT = 16 * MEGABYTE
LINE = b"GET /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\n"
# Settings of an API with short waiting times.
SHORT_TIMES = {
    "RAVINE_DISCARD_BYTES": str(DISCARDED),
    "RAVINE_DISCARD_SECONDS": "1",
    "RAVINE_HEADER_SECONDS": "1",
    "RAVINE_BODY_SECONDS": "1",
}


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


def cpu_seconds(api: Api) -> float:
    """Give the processor time of the API."""
    fields = Path(f"/proc/{api.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100

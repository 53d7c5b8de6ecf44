"""Clients of event streams on plain sockets, which read only when a test reads."""

import socket
from urllib.parse import urlsplit


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    connection = socket.socket()
    # A small window, so that the kernel buffers little.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    connection.settimeout(20)
    connection.connect((address.hostname, address.port))
    return connection


def ask_for_events(connection: socket.socket, job_id: str) -> None:
    connection.sendall(f"GET /v1/jobs/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


def read_until(connection: socket.socket, pattern: bytes) -> None:
    received = b""
    while pattern not in received:
        piece = connection.recv(65_536)
        assert piece, f"the connection was closed after {received[-200:]!r}"
        received = received[-100:] + piece

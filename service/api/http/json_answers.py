"""Answers in JSON, whole or in pieces; NaN, Infinity and -Infinity are written as texts."""

from collections.abc import Iterator
from typing import Any

from fastapi import Response
from pydantic_core import to_json

JSON = "application/json"
# Bytes of one piece of a stream. A page of 500 short histories is smaller and is answered whole.
PIECE_BYTES = 1 << 20


def json_bytes(content: Any) -> bytes:
    """Serialize content; numbers that are not finite become "NaN", "Infinity" or "-Infinity"."""
    return to_json(content, inf_nan_mode="strings")


def answer(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Answer content as JSON."""
    return Response(json_bytes(content), status, headers, media_type=JSON)


def joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces, because each piece of a stream takes a turn and a switch between threads."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)

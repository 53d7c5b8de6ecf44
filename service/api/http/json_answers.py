"""Answers in JSON, whole or streamed; NaN, Infinity and -Infinity are written as texts."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse
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


def stream(pieces: Iterator[bytes]) -> Response:
    """Answer JSON that is produced in pieces: short content as one body, longer content as a stream.

    An error before the first piece is sent is answered as any other error; after that the connection is closed.
    """
    joined = _joined(pieces)
    first, second = next(joined, b""), next(joined, None)
    if second is None:
        return Response(first, media_type=JSON)
    return StreamingResponse(chain((first, second), joined), media_type=JSON)


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Join small pieces, because each piece sent costs one switch between threads."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)

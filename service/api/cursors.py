"""How a list remembers where a client stopped reading: an opaque text that only this API writes."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from service.errors import BadCursor


def write_cursor(kind: str, position: int) -> str:
    """Make the cursor of a kind of list."""
    return urlsafe_b64encode(json.dumps([kind, position]).encode()).decode().rstrip("=")


def read_cursor(kind: str, text: str | None) -> int | None:
    """Read a cursor back; None where none was given.

    Raises:
        BadCursor: This API did not write it, or wrote it for another list.
    """
    if text is None:
        return None
    try:
        found, position = json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        found, position = None, None
    if found != kind or type(position) is not int or not 0 <= position < 2**62:
        raise BadCursor("this cursor was not given out for this list: start again without one")
    return position

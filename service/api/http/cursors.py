"""Cursors of lists: opaque texts that hold the position after a page."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from service.errors import BadCursor


def write_cursor(kind: str, position: int) -> str:
    """Write the cursor of a list of this kind."""
    return urlsafe_b64encode(json.dumps([kind, position]).encode()).decode().rstrip("=")


def read_cursor(kind: str, text: str | None) -> int | None:
    """Read a cursor; None if there is none.

    Raises:
        BadCursor: The text is not a cursor of this kind of list.
    """
    if text is None:
        return None
    try:
        found, position = json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        found, position = None, None
    if found != kind or type(position) is not int or not 0 <= position < 2**62:
        raise BadCursor("this cursor does not belong to this list: start again without a cursor")
    return position

"""Cursors of lists: opaque texts that hold the position after a page."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from service.errors import BadCursor

_OTHER = "this cursor does not belong to this list: start again without a cursor"


def write_cursor(kind: str, position: int) -> str:
    """Write the cursor of a list of this kind."""
    return urlsafe_b64encode(json.dumps([kind, position]).encode()).decode().rstrip("=")


def write_place(kind: str, value: str | int, key: int) -> str:
    """Write the cursor of a list in an order: value of the last row, and the key that distinguishes equal values."""
    return urlsafe_b64encode(json.dumps([kind, value, key], ensure_ascii=False).encode()).decode().rstrip("=")


def read_place(kind: str, text: str | None, value: type[str] | type[int]) -> tuple[str | int, int] | None:
    """Read the value and the key of such a cursor; None if there is none.

    Raises:
        BadCursor: The text is not a cursor of this list in this order.
    """
    if text is None:
        return None
    try:
        found, last, key = json.loads(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        if isinstance(last, str):
            last.encode()  # A lone surrogate is no text.
    except (ValueError, TypeError):
        raise BadCursor(_OTHER) from None
    is_place = found == kind and type(last) is value and type(key) is int
    if not is_place or "\0" in str(last) or any(abs(one) >= 2**62 for one in (last, key) if isinstance(one, int)):
        raise BadCursor(_OTHER)
    return last, key


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
        raise BadCursor(_OTHER)
    return position

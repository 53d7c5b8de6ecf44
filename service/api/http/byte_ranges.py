"""Byte ranges of a file: the headers Range and If-Range (RFC 9110, sections 13.1.5 and 14)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fastapi import Request

from service.errors import RangeNotSatisfiable

# One range. Several at once are answered with the whole file, as the standard allows.
_RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*", re.IGNORECASE)


@dataclass(frozen=True)
class ByteRange:
    """A requested range: from ``first`` to ``last``, to the end without ``last``, the last bytes without ``first``."""

    first: int | None
    last: int | None

    def within(self, length: int) -> tuple[int, int]:
        """Give the first byte and the one behind the last, in a file of this length.

        Raises:
            RangeNotSatisfiable: The file has none of these bytes.
        """
        if self.first is None:
            first, end = max(0, length - (self.last or 0)), length
        else:
            first, end = self.first, length if self.last is None else min(self.last + 1, length)
        if first >= end:
            raise RangeNotSatisfiable(length)
        return first, end


def requested_range(request: Request, tag: str) -> ByteRange | None:
    """Read the requested range of the file with this tag; None for the whole file.

    A header that is not valid is ignored, and so is one for another version of the file, by If-Range.
    """
    header = request.headers.get("range")
    found = _RANGE.fullmatch(header) if header else None
    if found is None or request.headers.get("if-range", tag).strip() != tag:
        return None
    first, last = (int(digits) if digits else None for digits in found.groups())
    if (first is None and last is None) or (first is not None and last is not None and last < first):
        return None
    return ByteRange(first, last)


def part_of(pieces: Iterable[bytes], first: int, end: int) -> Iterator[bytes]:
    """Give the bytes from ``first`` to before ``end`` of a file that is made in pieces."""
    at = 0
    for piece in pieces:
        if at + len(piece) > first:
            yield piece[max(0, first - at) : end - at]
        at += len(piece)
        if at >= end:
            return

"""Content negotiation by the header Accept (RFC 9110, section 12.5.1).

Every route answers JSON. A route that answers other media types too lists them in its documentation,
``responses={200: {"content": {"text/csv": {}}}}``, and they are offered.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from fastapi import Depends, Request

from service.api.http.json_answers import JSON
from service.errors import NotAcceptable

# A comma or a semicolon inside a quoted parameter separates nothing.
_ELEMENT = re.compile(r'(?:[^,"]|"(?:\\.|[^"\\])*"?)+')
_PART = re.compile(r'(?:[^;"]|"(?:\\.|[^"\\])*"?)+')


def preferred(accept: str, offered: Sequence[str]) -> str | None:
    """Choose the media type with the highest weight, of equal ones the first; None if Accept allows none of them.

    A header that names no media range allows everything.
    """
    ranges = [_media_range(element) for element in _ELEMENT.findall(accept.lower()) if element.strip()]
    if not ranges:
        return offered[0]
    weights = [_weight(ranges, media_type) for media_type in offered]
    best = max(weights)
    return offered[weights.index(best)] if best > 0 else None


def negotiate(request: Request, offered: Sequence[str]) -> str:
    """Choose the media type of an answer.

    Raises:
        NotAcceptable: The header Accept allows none of them.
    """
    chosen = preferred(",".join(request.headers.getlist("accept")), offered)
    if chosen is None:
        raise NotAcceptable(
            f"this route answers {', '.join(offered)}; the header Accept allows none of them: add one, or send */*"
        )
    return chosen


def offered_by(route: Any) -> list[str]:
    """List the media types that a route answers, JSON first."""
    documented = getattr(route, "responses", None) or {}
    successes = (answer for status, answer in documented.items() if str(status).startswith("2"))
    others = [media_type for answer in successes for media_type in answer.get("content", {})]
    return list(dict.fromkeys([JSON, *others]))


def _media_range(element: str) -> tuple[str, float]:
    """Read a media range and its weight. Other parameters are ignored, and ``*`` is read as ``*/*``."""
    name, *parameters = (part.strip() for part in _PART.findall(element))
    return "*/*" if name == "*" else name, _quality(parameters)


def _weight(ranges: Iterable[tuple[str, float]], media_type: str) -> float:
    """Give the weight of a media type: that of the most specific range that contains it, 0 if none does."""
    containing = ("*/*", f"{media_type.partition('/')[0]}/*", media_type)
    found = [(containing.index(name), quality) for name, quality in ranges if name in containing]
    return max(found, default=(-1, 0.0))[1]


def _quality(parameters: Iterable[str]) -> float:
    """Read the parameter ``q``, a number from 0 to 1; 1 if it is absent or not a number."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                return 1.0
            return min(max(quality, 0.0), 1.0) if math.isfinite(quality) else 1.0
    return 1.0


async def _check_accept(request: Request) -> None:
    """Refuse a request whose header Accept allows no answer of the route, before any work is done."""
    negotiate(request, offered_by(request.scope.get("route")))


negotiated = Depends(_check_accept)

"""Does a client want what a route can answer? Content negotiation by the header Accept (RFC 9110, section 12.5.1).

A route answers JSON; one that has other forms as well says so where it documents them, and that is all it takes:
``responses={200: {"content": {"text/csv": {}}}}``.
"""

from typing import Any

from fastapi import Depends, Request

from service.errors import NotAcceptable

JSON = "application/json"


def produced_by(route: Any) -> list[str]:
    """List the media types that a route answers, JSON first."""
    documented = getattr(route, "responses", None) or {}
    good = (answer for status, answer in documented.items() if str(status).startswith("2"))
    others = [kind for answer in good for kind in answer.get("content", {})]
    return list(dict.fromkeys([JSON, *others]))


def accepts(header: str, media_type: str) -> bool:
    """Whether a header Accept allows a media type; the most specific range that fits decides."""
    wanted, best = media_type.lower(), (-1, 0.0)
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        if name in {"*/*", "*"}:
            precision = 0
        elif name == wanted.partition("/")[0] + "/*":
            precision = 1
        elif name == wanted:
            precision = 2
        else:
            continue
        best = max(best, (precision, _quality(parameters)))
    return best[1] > 0


def _quality(parameters: list[str]) -> float:
    """Read the weight of a range, by default 1; what is no number is not obeyed."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 1.0
    return 1.0


async def _acceptable(request: Request) -> None:
    """Refuse what no answer of this route could please, before any work is done."""
    header = ",".join(request.headers.getlist("accept")).strip()
    produced = produced_by(request.scope.get("route"))
    if header and not any(accepts(header, one) for one in produced):
        raise NotAcceptable(f"this route answers {', '.join(produced)}; the header Accept allows none of them")


negotiated = Depends(_acceptable)

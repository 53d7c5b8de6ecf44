"""The JSON of application/problem+json (RFC 9457), for the application and for the server below it."""

from collections.abc import Sequence
from typing import Any

from service.api.http.error_limits import encoded, few, shortened

PROBLEM_JSON = "application/problem+json"


def problem_json(
    status: int, title: str, detail: str, instance: str, errors: Sequence[dict[str, Any]] | None = None
) -> bytes:
    """Write an error: ``instance`` is the path of the request, empty if it is unknown."""
    content: dict[str, Any] = {
        # Status and title identify the kind of error; there is no page per kind.
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": shortened(detail),
        "instance": shortened(instance),
    }
    if errors:
        content["errors"] = few(errors)
    return encoded(content)

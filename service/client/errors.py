"""Errors of the client: one tree.

RavineError
├── Refused            the API rejected the request: 4xx
│   ├── Unauthorized   401
│   ├── NotFound       404
│   ├── Conflict       409
│   ├── NotAccepted    422, with the place of each error
│   └── TooMuchOpen    429
├── Unavailable        the API is unavailable or failed: 5xx
├── NotReachable       no answer from the address, or not in time
│   └── NotAnAddress   the address or the key cannot be used in a request
└── WaitTimeout        the job has not ended within the timeout
"""

from typing import Any

import httpx


class RavineError(Exception):
    """An error of the API or of the connection to it.

    Attributes:
        status: The HTTP status; None without an answer.
        title: The kind of error.
        detail: What happened, where, and what to do.
        errors: The invalid values of a rejected request, each ``{"loc": […], "msg": "…"}``.
    """

    def __init__(
        self, title: str, detail: str, *, status: int | None = None, errors: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(detail)
        self.title, self.detail, self.status, self.errors = title, detail, status, errors or []

    def __str__(self) -> str:
        others = [error for error in self.errors if error["msg"] not in self.detail]
        return "\n".join([self.detail, *(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in others)])


class Refused(RavineError):
    """The API rejected the request, and would reject it again."""


class Unauthorized(Refused):
    """The key is missing or unknown: set RAVINE_API_KEY."""


class NotFound(Refused):
    """There is no such job, run or preset."""


class Conflict(Refused):
    """The status of the job does not allow the request."""


class NotAccepted(Refused):
    """The request has invalid values; ``errors`` gives the place of each."""


class TooMuchOpen(Refused):
    """The caller has reached the limit of waiting and running work."""


class Unavailable(RavineError):
    """The service, its database or a proxy is unavailable."""


class NotReachable(RavineError):
    """No answer came from the address."""


class NotAnAddress(NotReachable):
    """The address is not that of an HTTP server, or the key has characters that a header may not have."""


class WaitTimeout(RavineError):
    """The job did not end within the timeout. It continues, and can be waited for again."""


_BY_STATUS: dict[int, type[RavineError]] = {
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    422: NotAccepted,
    429: TooMuchOpen,
}


def error_of(answer: httpx.Response) -> RavineError:
    """Make the error of an unsuccessful answer. The answer may come from a proxy, without problem+json."""
    kind = _BY_STATUS.get(answer.status_code, Unavailable if answer.status_code >= 500 else Refused)
    try:
        problem = answer.json()
        return kind(problem["title"], problem["detail"], status=answer.status_code, errors=problem.get("errors"))
    except (ValueError, KeyError, TypeError):
        title = answer.reason_phrase or "Not an answer of Ravine"
        detail = f"{answer.request.url} answered {answer.status_code} {title}, not an error of Ravine; check RAVINE_URL"
        return kind(title, detail, status=answer.status_code)

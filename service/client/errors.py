"""What may go wrong for a user of the client, in the words of the API.

RavineError
├── Refused            the API refused the request: 4xx
│   ├── Unauthorized   401
│   ├── NotFound       404
│   ├── Conflict       409
│   ├── NotAccepted    422, with the place of each error
│   └── TooMuchOpen    429
├── Unavailable        the API cannot answer now: 5xx
├── NotReachable       nobody answers at the address, or not in time
└── WaitTimeout        the job has not ended in the time that was given to it
"""

from typing import Any

import httpx


class RavineError(Exception):
    """An error of the API or of the way to it.

    Attributes:
        status: The HTTP status; None where there was no answer.
        title: What kind of error it is.
        detail: What happened, in a sentence.
        errors: For a rejected request each place and what is allowed there: ``{"loc": […], "msg": "…"}``.
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
    """The request is refused, and will be refused again."""


class Unauthorized(Refused):
    """The key is missing or not known there: set RAVINE_API_KEY."""


class NotFound(Refused):
    """There is no such job, run or preset."""


class Conflict(Refused):
    """The job is not in a state in which this can be done."""


class NotAccepted(Refused):
    """What was sent is not allowed; ``errors`` names each place."""


class TooMuchOpen(Refused):
    """The caller has as much waiting and running as one caller may have."""


class Unavailable(RavineError):
    """The service, its database or a proxy before it cannot answer now."""


class NotReachable(RavineError):
    """Nobody answers at the address."""


class WaitTimeout(RavineError):
    """The job goes on; it can be waited for again."""


_BY_STATUS: dict[int, type[RavineError]] = {
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    422: NotAccepted,
    429: TooMuchOpen,
}


def error_of(answer: httpx.Response) -> RavineError:
    """Read an answer that is no success; what is not problem+json, such as a proxy's page, is named as what it is."""
    kind = _BY_STATUS.get(answer.status_code, Unavailable if answer.status_code >= 500 else Refused)
    try:
        told = answer.json()
        return kind(told["title"], told["detail"], status=answer.status_code, errors=told.get("errors"))
    except (ValueError, KeyError, TypeError):
        title = answer.reason_phrase or "Not an answer of Ravine"
        detail = f"{answer.request.url} answered {answer.status_code} {title}, and not in the words of Ravine"
        return kind(title, detail, status=answer.status_code)

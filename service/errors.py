"""What may go wrong for a client: one tree of errors, each with its status.

RavineError
├── NotFound 404
├── Conflict 409
├── Rejected 422
├── BadCursor 400
└── Unavailable 503
"""

from typing import Any, ClassVar


class RavineError(Exception):
    """An error that the API answers with its own words, as application/problem+json (RFC 9457)."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class NotFound(RavineError):
    """No such job, run or name."""

    status = 404
    title = "Not found"


class Conflict(RavineError):
    """The job is not in a state in which this can be done."""

    status = 409
    title = "Conflict"


class Rejected(RavineError):
    """What was sent is not allowed; ``errors`` names each place and what is allowed there."""

    status = 422
    title = "Not accepted"

    def __init__(self, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.errors = errors or []


class BadCursor(RavineError):
    """A cursor that this API did not give out."""

    status = 400
    title = "Bad cursor"


class Unavailable(RavineError):
    """The database or the broker cannot be reached."""

    status = 503
    title = "Unavailable"

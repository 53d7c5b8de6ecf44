"""What may go wrong for a client: one tree of errors, each with its status.

RavineError
├── BadCursor 400
├── ForeignHost 400
├── Unauthorized 401
├── Forbidden 403
├── NotFound 404
├── NotAcceptable 406
├── Conflict 409
├── ContentTooLarge 413
├── Rejected 422
├── TooMuchOpen 429
└── Unavailable 503
"""

from typing import Any, ClassVar, Self


class RavineError(Exception):
    """An error that the API answers with its own words, as application/problem+json (RFC 9457)."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    headers: ClassVar[dict[str, str]] = {}

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ForeignHost(RavineError):
    """A name in the header Host that this server is not called by: a page of somebody else's may be behind it."""

    status = 400
    title = "Foreign host"


class Unauthorized(RavineError):
    """The key is missing, wrong or revoked."""

    status = 401
    title = "Unauthorized"
    headers = {"WWW-Authenticate": 'Bearer realm="ravine"'}  # noqa: RUF012  (never changed)


class Forbidden(RavineError):
    """The key is known, and may not do this."""

    status = 403
    title = "Forbidden"


class NotFound(RavineError):
    """No such job, run or name."""

    status = 404
    title = "Not found"


class NotAcceptable(RavineError):
    """The header Accept allows nothing that this route can answer."""

    status = 406
    title = "Not acceptable"


class Conflict(RavineError):
    """The job is not in a state in which this can be done."""

    status = 409
    title = "Conflict"


class ContentTooLarge(RavineError):
    """The body has more bytes than any spec needs."""

    status = 413
    title = "Content too large"


class Rejected(RavineError):
    """What was sent is not allowed; ``errors`` names each place and what is allowed there."""

    status = 422
    title = "Not accepted"

    def __init__(self, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.errors = errors or []

    @classmethod
    def at(cls, source: str, name: str, sentence: str) -> Self:
        """Reject one value: ``source`` is body, query or header, ``name`` the field; the sentence is the detail."""
        return cls(sentence, [{"loc": [source, name], "msg": sentence}])


class BadCursor(RavineError):
    """A cursor that this API did not give out."""

    status = 400
    title = "Bad cursor"


class TooMuchOpen(RavineError):
    """The caller has as much waiting and running as one caller may have."""

    status = 429
    title = "Too much open work"
    # Small jobs end in less than a second; asking more often than this would only add load.
    headers = {"Retry-After": "5"}  # noqa: RUF012


class Unavailable(RavineError):
    """The database or the broker cannot be used now."""

    status = 503
    title = "Unavailable"
    # A restart of either takes about as long.
    headers = {"Retry-After": "2"}  # noqa: RUF012

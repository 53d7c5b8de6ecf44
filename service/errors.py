"""Errors that a client can cause or meet: one tree, each class with its HTTP status.

RavineError
├── BadCursor 400
├── ForeignHost 400
├── MalformedRequest 400
├── Unauthorized 401
├── Forbidden 403
├── NotFound 404
├── NotAcceptable 406
├── RequestTimeout 408
├── Conflict 409
├── ContentTooLarge 413
├── UrlTooLong 414
├── RangeNotSatisfiable 416
├── Rejected 422
├── TooMuchOpen 429
├── TooManyWaiting 429
├── QuotaReached 429
├── HeadersTooLarge 431
├── TooManyConnections 503
├── TooBusy 503
├── Unavailable 503
└── DiskFull 503
"""

from typing import Any, ClassVar, Self


class RavineError(Exception):
    """An error that the API answers as application/problem+json (RFC 9457), with ``detail`` as its text."""

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    headers: dict[str, str] = {}  # noqa: RUF012  (never changed)

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class ForeignHost(RavineError):
    """The header Host names another server: a page of a foreign site may have sent the request (DNS rebinding)."""

    status = 400
    title = "Foreign host"


class MalformedRequest(RavineError):
    """The bytes of the request are not HTTP."""

    status = 400
    title = "Malformed request"


class Unauthorized(RavineError):
    """The key is missing, wrong or revoked."""

    status = 401
    title = "Unauthorized"
    headers = {"WWW-Authenticate": 'Bearer realm="ravine"'}  # noqa: RUF012  (never changed)


class Forbidden(RavineError):
    """The key is valid but lacks the permission."""

    status = 403
    title = "Forbidden"


class NotFound(RavineError):
    """There is no such job, run or name."""

    status = 404
    title = "Not found"


class NotAcceptable(RavineError):
    """The header Accept allows no media type of the route."""

    status = 406
    title = "Not acceptable"


class RequestTimeout(RavineError):
    """The client stopped in the middle of a request."""

    status = 408
    title = "Request timeout"


class Conflict(RavineError):
    """The status of the job does not allow the request."""

    status = 409
    title = "Conflict"


class ContentTooLarge(RavineError):
    """The body exceeds the size limit."""

    status = 413
    title = "Content too large"


class UrlTooLong(RavineError):
    """The URL exceeds the size limit."""

    status = 414
    title = "URL too long"


class RangeNotSatisfiable(RavineError):
    """The header Range names bytes behind the end of the file."""

    status = 416
    title = "Range not satisfiable"

    def __init__(self, length: int) -> None:
        super().__init__(f"the file has {length:,} bytes; the header Range names none of them")
        self.headers = {"Content-Range": f"bytes */{length}"}


class Rejected(RavineError):
    """The request has invalid values. ``errors`` gives for each its place (``loc``) and a message (``msg``)."""

    status = 422
    title = "Not accepted"

    def __init__(self, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.errors = errors or []

    @classmethod
    def at(cls, source: str, name: str | None, sentence: str) -> Self:
        """Reject one value: ``source`` is body, query or header, ``name`` the field, or None for all of the body."""
        loc = [source] if name is None else [source, name]
        return cls(sentence, [{"loc": loc, "msg": sentence}])


class BadCursor(RavineError):
    """The cursor or event id was not issued by this API for this list."""

    status = 400
    title = "Bad cursor"


class TooMuchOpen(RavineError):
    """The caller has reached the limit of waiting and running work."""

    status = 429
    title = "Too much open work"
    # Small jobs end within 1 s. Shorter retry intervals only add load.
    headers = {"Retry-After": "5"}  # noqa: RUF012


class TooManyWaiting(RavineError):
    """The caller has reached the limit of waiting requests."""

    status = 429
    title = "Too many waiting requests"
    headers = {"Retry-After": "5"}  # noqa: RUF012


class QuotaReached(RavineError):
    """The jobs of the caller have stored, or may store, more than its quota. Deleted jobs make room."""

    status = 429
    title = "Storage quota reached"
    # Removing the rows of a deleted job of a million rows takes about this long.
    headers = {"Retry-After": "10"}  # noqa: RUF012


class HeadersTooLarge(RavineError):
    """The headers exceed the limit of their number or of their size."""

    status = 431
    title = "Headers too large"


class TooManyConnections(RavineError):
    """The limit of open connections is reached, in all or for one address."""

    status = 503
    title = "Too many connections"
    headers = {"Retry-After": "5"}  # noqa: RUF012


class TooBusy(RavineError):
    """A request waited too long for a turn."""

    status = 503
    title = "Too busy"
    headers = {"Retry-After": "5"}  # noqa: RUF012


class Unavailable(RavineError):
    """The database or the broker is unavailable."""

    status = 503
    title = "Unavailable"
    # About the duration of a restart of either.
    headers = {"Retry-After": "2"}  # noqa: RUF012


class DiskFull(RavineError):
    """The disk of the database has no space left for rows."""

    status = 503
    title = "Disk full"
    headers = {"Retry-After": "30"}  # noqa: RUF012

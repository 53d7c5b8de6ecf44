"""Statuses of jobs for plain requests, before the rest of the middleware and the routing.

Polls are most of the requests of a busy service, and all that FastAPI and the middleware do for one takes three times
as long as the answer. Everything but the plain case goes on to ``routes/status.py``, whose answers and errors are the
same: a request without a query, with headers that need no negotiation, from a caller who is known already.
"""

from sqlalchemy.exc import DBAPIError
from starlette.datastructures import State
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.doors.authentication import Authentication, Credentials, bearer_key
from service.api.doors.middleware import SECURITY, is_allowed
from service.api.http.compression import MIN_BYTES
from service.api.http.conditional import known_tag, tag_headers
from service.api.http.json_answers import JSON
from service.api.polling import Polled, Polls
from service.errors import RavineError
from service.jobs.owners import Caller

_PATH = "/v1/jobs/"
_PATH_LENGTH = len(_PATH) + 36
# The headers that matter for a status, and those that change nothing. A request with another header is not plain.
_READ = frozenset({b"host", b"authorization", b"accept", b"if-none-match"})
_IGNORED = frozenset(
    {
        b"user-agent",
        b"accept-encoding",
        b"connection",
        b"x-request-id",
        b"traceparent",
        b"tracestate",
        b"accept-language",
    }
)
_ANY_JSON = frozenset({b"*/*", JSON.encode()})


class PlainPolls:
    """Answer plain requests for the status of a job."""

    def __init__(self, app: ASGIApp, state: State, allowed_hosts: frozenset[str], route: Route) -> None:
        self._app, self._state, self._allowed, self._route = app, state, allowed_hosts, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        headers = _plain(scope) if self._is_status(scope) else None
        polled = None if headers is None else await self._poll(scope, headers)
        if headers is None or polled is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        tag = known_tag(headers.get(b"if-none-match", b"").decode("latin-1"), polled.tag)
        status = 200 if tag is None else 304
        await send({"type": "http.response.start", "status": status, "headers": _headers(polled, tag)})
        await send({"type": "http.response.body", "body": polled.body if tag is None else b""})

    @staticmethod
    def _is_status(scope: Scope) -> bool:
        return (
            scope["type"] == "http"
            and len(scope["path"]) == _PATH_LENGTH
            and scope["method"] == "GET"
            and scope["path"].startswith(_PATH)
            and not scope["query_string"]
        )

    async def _poll(self, scope: Scope, headers: dict[bytes, bytes]) -> Polled | None:
        """Read the job; None if the request has to go on, because it is not plain or is answered with an error."""
        server = scope.get("server")
        host = headers.get(b"host", b"").decode("latin-1")
        if not is_allowed(self._allowed, [host], server[0] if server else None):
            return None
        try:
            caller = self._caller(headers, server[0] if server else None)
            if caller is None:
                return None
            polls: Polls = self._state.polls
            polled = await polls.get(scope["path"][len(_PATH) :], caller)
        except (RavineError, DBAPIError):
            return None
        return polled if len(polled.body) < MIN_BYTES else None

    def _caller(self, headers: dict[bytes, bytes], server: str | None) -> Caller | None:
        authentication: Authentication = self._state.authentication
        key = bearer_key(headers[b"authorization"].decode("latin-1")) if b"authorization" in headers else None
        return authentication.cached_caller(Credentials(key=key, session=None, server=server))


def _plain(scope: Scope) -> dict[bytes, bytes] | None:
    """Give the headers that matter; None if there are others or one is repeated."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name in _READ:
            if name in found:
                return None
            found[name] = value
        elif name not in _IGNORED:
            return None
    return found if found.get(b"accept", b"*/*") in _ANY_JSON else None


def _headers(polled: Polled, tag: str | None) -> list[tuple[bytes, bytes]]:
    """Give the headers of 304 with a tag, or of 200."""
    tagged = [(name.lower().encode(), value.encode()) for name, value in tag_headers(tag or polled.tag).items()]
    present = {name for name, _ in tagged}
    content = [(b"content-length", str(len(polled.body)).encode()), (b"content-type", JSON.encode())]
    return [*(content if tag is None else []), *tagged, *(one for one in SECURITY if one[0] not in present)]

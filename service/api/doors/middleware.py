"""Middleware for every request and answer: size of the body, header Host, security headers.

Plain ASGI, so that streams pass without buffering.
"""

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.doors.authentication import is_loopback
from service.api.http.body_limits import body_limit
from service.api.http.problem_details import answer_error, too_large
from service.api.http.security_headers import SECURITY_HEADERS
from service.errors import ForeignHost
from service.settings import Settings

# Names of the loopback address in the header Host.
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
# ASGI has names of headers in lower case.
SECURITY = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


class SecurityHeaders:
    """Add the security headers that an answer lacks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in SECURITY if one[0] not in present)]
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Reject a body that exceeds the limit, by its Content-Length or, without one, by counting its bytes."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, limit = Headers(scope=scope), body_limit(scope, self._settings)
        length = headers.get("content-length", "")
        # The server has rejected a Content-Length that is not a number.
        if length.isdecimal() and int(length[:20]) > limit:
            await answer_error(Request(scope), too_large(limit))(scope, receive, send)
        elif "transfer-encoding" in headers:
            await self._count(scope, receive, send, limit)
        else:
            await self._app(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Handle a request, or end it as if the client had gone once its body exceeds the limit, and answer 413."""
        num_bytes, has_answered = 0, False

        async def counted() -> Message:
            nonlocal num_bytes
            message = await receive()
            num_bytes += len(message.get("body", b""))
            return message if num_bytes <= limit else {"type": "http.disconnect"}

        async def send_within_limit(message: Message) -> None:
            nonlocal has_answered
            if num_bytes <= limit or has_answered:
                has_answered = True
                await send(message)

        try:
            await self._app(scope, counted, send_within_limit)
        except Exception:
            if num_bytes <= limit or has_answered:
                raise
        if not has_answered:
            await answer_error(Request(scope), too_large(limit))(scope, receive, send)


class HostCheck:
    """Reject requests whose header Host names another server.

    Otherwise a page on a name that resolves to this address could read an API without keys (DNS rebinding). If no names
    are set, names of the loopback address are required there. On other addresses a key is required, which such a page
    does not have.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str]) -> None:
        self._app, self._allowed = app, allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or answer 400."""
        if scope["type"] == "http" and not self._is_allowed(scope):
            host = Headers(scope=scope).get("host", "")
            error = ForeignHost(
                f"the header Host names {host!r}, which is not a name of this server; "
                "if it is one, add it to the setting RAVINE_ALLOWED_HOSTS"
            )
            await answer_error(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        server = scope.get("server")
        return is_allowed(self._allowed, Headers(scope=scope).getlist("host"), server[0] if server else None)


def is_allowed(allowed: frozenset[str], hosts: Sequence[str], server: str | None) -> bool:
    """Whether the values of the header Host name this server, whose address is ``server``."""
    if "*" in allowed or (not allowed and not is_loopback(server)):
        return True
    if len(hosts) != 1:
        return False
    name = _without_port(hosts[0].lower())
    return name in allowed or name in _LOCAL_NAMES


def host_names(setting: str) -> frozenset[str]:
    """List the host names of the setting ``allowed_hosts``."""
    return frozenset(name.strip().lower() for name in setting.split(",") if name.strip())


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    # An IPv6 address contains colons, and is in brackets if a port follows.
    return name if colon and port.isdecimal() and (":" not in name or name.endswith("]")) else host

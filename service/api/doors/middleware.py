"""What happens to every request before a route sees it, and to every answer after?

Plain ASGI, so that streams pass through as they are.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.doors.authentication import is_loopback
from service.api.doors.headers import SECURITY_HEADERS
from service.api.problem_details import answer_error, too_large
from service.errors import ForeignHost

# What a browser or a script on this machine calls it.
_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class SecurityHeaders:
    """Add the security headers that an answer does not carry already."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class BodyLimit:
    """Refuse a body that says itself that it is too large. FastAPI counts the bytes of those that do not, and both
    answers are the same; its own check of the length would answer plain text.
    """

    def __init__(self, app: ASGIApp, max_body_bytes: int) -> None:
        self._app, self._limit = app, max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 413."""
        if scope["type"] == "http":
            length = Headers(scope=scope).get("content-length", "")
            # The server has refused what is no number.
            if length.isdecimal() and int(length[:20]) > self._limit:
                await answer_error(Request(scope), too_large(self._limit))(scope, receive, send)
                return
        await self._app(scope, receive, send)


class HostCheck:
    """Refuse requests for another host: a page on a name that was made to point here would read an open API (DNS
    rebinding). Where no names are set, this machine's are asked for on the loopback address; elsewhere a key is needed,
    which no such page has.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: str) -> None:
        self._app = app
        self._allowed = {name.strip().lower() for name in allowed_hosts.split(",") if name.strip()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 400."""
        if scope["type"] == "http" and not self._is_ours(scope):
            host = Headers(scope=scope).get("host", "")
            error = ForeignHost(
                f"this server is not called {host!r}; if it is, add the name to the setting RAVINE_ALLOWED_HOSTS"
            )
            await answer_error(Request(scope), error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        server = scope.get("server")
        if "*" in self._allowed or (not self._allowed and not is_loopback(server[0] if server else None)):
            return True
        names = Headers(scope=scope).getlist("host")
        return len(names) == 1 and _without_port(names[0].lower()) in self._allowed | _LOCAL_NAMES


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    # An address of version 6 is full of colons, and stands in brackets where a port may follow.
    return name if colon and port.isdecimal() and (":" not in name or name.endswith("]")) else host

"""Refusal of writes that a page of another origin sends, and of proxies in front of an API without keys.

A browser sends the requests of any page to any address, also to the loopback address, where an API without keys lets
every caller write. Browsers name the sender of such a request in Origin and Sec-Fetch-Site, which no page can change.
Clients that are not browsers send neither header.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.http.problem_details import answer_error
from service.errors import Forbidden

# Methods that change nothing.
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Values of Sec-Fetch-Site for the pages of this API, and for addresses that the user entered.
_OWN_SITES = frozenset({"same-origin", "none"})
_PORTS = {"http": 80, "https": 443}


class ForeignPages:
    """Reject writes whose sender is a page of another origin.

    An origin is this API's own if its host and port are those of the header Host, or if its name is an allowed host: a
    proxy may send another Host than the browser. The schemes are not compared, because a proxy may add TLS.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str]) -> None:
        self._app, self._allowed = app, frozenset(allowed_hosts) - {"*"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in _READS:
            headers = Headers(scope=scope)
            sender = self._foreign_sender(headers)
            if sender is not None:
                error = Forbidden(
                    f"{scope['method']} was sent by a page of another origin ({sender}), which may only read; "
                    "if it is a name of this server, add it to the setting RAVINE_ALLOWED_HOSTS"
                )
                await answer_error(Request(scope), error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _foreign_sender(self, headers: Headers) -> str | None:
        """Name the header that shows a page of another origin; None if there is none."""
        for origin in headers.getlist("origin"):
            if not self._is_own(origin, headers.get("host", "")):
                return f"Origin: {origin}"
        for site in headers.getlist("sec-fetch-site"):
            if site.strip().lower() not in _OWN_SITES:
                return f"Sec-Fetch-Site: {site}"
        return None

    def _is_own(self, origin: str, host: str) -> bool:
        try:
            url = urlsplit(origin.strip().lower())
            place = url.hostname, url.port or _PORTS.get(url.scheme)
            own = urlsplit(f"{url.scheme}://{host.strip().lower()}")
            return place[0] is not None and (
                place == (own.hostname, own.port or _PORTS.get(url.scheme)) or _named(url.hostname) in self._allowed
            )
        except ValueError:  # The port is not a number, or the brackets of an IPv6 address do not match.
            return False


def _named(hostname: str | None) -> str:
    """Write a host name as in the setting: an IPv6 address is in brackets."""
    return f"[{hostname}]" if hostname and ":" in hostname else hostname or ""


def refuse_proxy(headers: Headers) -> None:
    """Reject a request that a proxy forwarded to an API without keys: to the API it comes from the loopback address.

    Raises:
        Forbidden: A header of a proxy is present.
    """
    for name in headers:
        if name == "forwarded" or name.startswith("x-forwarded-"):
            raise Forbidden(
                f"the header {name} shows a proxy, and this API has no keys: everybody who reaches the proxy could use "
                "it; create a key with `ravine keys create --name NAME`, after which keys are required"
            )

"""What is noted of every request: an id, a line in the log, its duration among the metrics, a span of a trace.

Plain ASGI, outside of all other middleware, so that what they refuse is noted too. Neither keys, nor bodies, nor query
strings are: the path is noted as the template of its route, and ids of jobs only where the log names a job.
"""

import logging
import time

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observing import tracing
from service.observing.logs import request_id
from service.observing.measures import Measures

log = logging.getLogger("ravine.requests")

# Anything else is a client's invention, and would be a label of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "(none)"


class RequestLog:
    """Note each request once it has been answered, and give its id back in X-Request-ID."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app, self._measures = app, measures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        asked, began = request_id(headers.get("x-request-id")), time.perf_counter()
        scope["request_id"] = asked
        # Without an answer the connection broke off, or the server failed: it then answers 500 itself.
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = asked
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        with structlog.contextvars.bound_contextvars(request_id=asked), tracing.request_span(headers) as span:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                seconds, route = time.perf_counter() - began, template(scope)
                self._measures.requests.labels(method, route, str(status)).observe(seconds)
                span.name_request(method, route, status)
                # A line for every poll of every client would drown what matters; the metrics count them.
                level = logging.DEBUG if method in ("GET", "HEAD") and status < 400 else logging.INFO
                noted = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6)}
                log.log(level, "request", extra=noted)


def template(scope: Scope) -> str:
    """Give the path of the route that answered, with the names of its parameters in place of their values."""
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) and found else NO_ROUTE

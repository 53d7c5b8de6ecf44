"""Record of every request: an id, a log line, its duration in the metrics, and a span of a trace.

Plain ASGI outside of all other middleware, so that requests which these reject are recorded too. Keys, bodies and query
strings are never recorded. The path is recorded as the template of its route.
"""

import logging
import time
from functools import cache

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.observing import tracing
from service.observing.logs import request_id
from service.observing.measures import Measures

log = logging.getLogger("ravine.requests")

# Other methods share one label, so that clients cannot create labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "(none)"


class RequestLog:
    """Record each request after its answer, and send its id in X-Request-ID."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self._app = app
        # Methods, routes and statuses are few.
        self._histogram = cache(measures.requests.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request, and record it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        this_id, began = request_id(headers.get("x-request-id")), time.perf_counter()
        scope["request_id"] = this_id
        # Without an answer the connection was closed, or the server failed and answers 500.
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", this_id.encode())]
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        # Each request is a task with a context of its own, which ends with it.
        structlog.contextvars.bind_contextvars(request_id=this_id)
        with tracing.request_span(headers) as span:
            try:
                await self._app(scope, receive, send_with_id)
            finally:
                seconds, route = time.perf_counter() - began, template(scope)
                self._histogram(method, route, str(status)).observe(seconds)
                span.name_request(method, route, status)
                # Successful reads, such as polls, are logged at DEBUG only; the metrics count them.
                level = logging.DEBUG if method in ("GET", "HEAD") and status < 400 else logging.INFO
                if log.isEnabledFor(level):
                    fields = {"method": method, "route": route, "status": status, "seconds": round(seconds, 6)}
                    log.log(level, "request", extra=fields)


def template(scope: Scope) -> str:
    """Give the path template of the route, with the names of its parameters instead of their values."""
    found = getattr(scope.get("route"), "path", None)
    return found if isinstance(found, str) and found else NO_ROUTE

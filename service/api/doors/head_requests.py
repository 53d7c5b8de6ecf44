"""HEAD for every route with GET: the same status and headers, no body (RFC 9110, section 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Answer HEAD as GET, and send no body.

    An answer that is sent in pieces ends before its first piece. A route whose answer starts work that continues after
    the headers checks ``request.state.is_head``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        has_ended = False

        async def send_headers(message: Message) -> None:
            nonlocal has_ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not has_ended:
                # From now on the server reports the client as disconnected, which ends a stream.
                has_ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        as_get = {**scope, "method": "GET", "state": {**scope.get("state", {}), "is_head": True}}
        try:
            await self._app(as_get, receive, send_headers)
        finally:
            # The log and the metrics of requests name the route.
            scope["route"] = as_get.get("route")

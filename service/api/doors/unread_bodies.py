"""Bodies that an answer did not wait for: read and discarded after the answer, up to a limit.

An answer such as 413 ends while the client still writes. If the connection were closed then, the client would get a
broken pipe instead of the answer. Plain ASGI, outside of all other middleware.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class UnreadBodies:
    """Complete an answer after the body of the request was read, or after the limits of discarding."""

    def __init__(self, app: ASGIApp, discard_bytes: int, discard_seconds: float) -> None:
        self._app, self._bytes, self._seconds = app, discard_bytes, discard_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        is_read = False

        async def receive_body() -> Message:
            nonlocal is_read
            message = await receive()
            is_read = is_read or not message.get("more_body", False)
            return message

        async def send_and_discard(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False) and not is_read:
                # All bytes of the answer are sent now; the connection stays open until the empty last piece.
                await send({**message, "more_body": True})
                await self._discard(receive)
                message = {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        await self._app(scope, receive_body, send_and_discard)

    async def _discard(self, receive: Receive) -> None:
        num_bytes = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                while num_bytes <= self._bytes:
                    message = await receive()
                    if not message.get("more_body", False):
                        return
                    num_bytes += len(message.get("body", b""))


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )

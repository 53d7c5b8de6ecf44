"""Compression of answers with gzip, on the fly.

Plain ASGI. An answer in pieces is compressed piece by piece, so that its size in memory stays bounded. Large pieces are
compressed in threads of their own. No answer contains a secret, so the length of a compressed answer reveals nothing
(the attack BREACH needs a secret beside a text of the attacker).
"""

import os
import zlib

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.http.encodings import GZIP, compressed_tag, may_vary, takes_gzip

# Histories as CSV become 31 % of their size at level 1, and 28.5 % at level 6 in three times the time.
_LEVEL = 1
# Smaller answers are sent as they are: polls of jobs are answered thousands of times.
MIN_BYTES = 8_192
# Larger pieces take more than 1 ms, in which the event loop would answer nobody.
_THREAD_BYTES = 65_536
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


class Compression:
    """Compress the answers of clients that accept gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._threads: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._threads is None:
            self._threads = CapacityLimiter(os.cpu_count() or 1)
        await self._app(scope, receive, _Answer(scope, send, self._threads).send)


class _Answer:
    """One answer. Its headers wait for the first piece of the body if it is compressed."""

    def __init__(self, scope: Scope, send: Send, threads: CapacityLimiter) -> None:
        self._scope, self._send, self._threads = scope, send, threads
        self._start: Message | None = None
        self._gzip: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Send a message of the application, compressed if that is to be."""
        if message["type"] == "http.response.start":
            if self._is_compressed(message):
                self._start, self._gzip = message, zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
                return
        elif self._gzip is not None and message["type"] == "http.response.body":
            await self._send_piece(message.get("body", b""), is_last=not message.get("more_body", False))
            return
        await self._send(message)

    def _is_compressed(self, start: Message) -> bool:
        headers = MutableHeaders(raw=start["headers"])
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        is_whole = start["status"] not in (204, 206, 304) and "content-encoding" not in headers
        is_short = int(headers.get("content-length", MIN_BYTES)) < MIN_BYTES
        if not media_type or not is_whole or is_short or not may_vary(media_type):
            return False
        headers.add_vary_header("Accept-Encoding")
        if not takes_gzip(Headers(scope=self._scope).getlist("accept-encoding"), media_type):
            return False
        headers["Content-Encoding"] = GZIP
        del headers["accept-ranges"]
        if "etag" in headers:
            headers["ETag"] = compressed_tag(headers["etag"])
        return True

    async def _send_piece(self, body: bytes, *, is_last: bool) -> None:
        if len(body) > _THREAD_BYTES:
            written = await to_thread.run_sync(self._compress, body, is_last, limiter=self._threads)
        else:
            written = self._compress(body, is_last)
        if self._start is not None:
            headers = MutableHeaders(raw=self._start["headers"])
            del headers["content-length"]
            if is_last:
                headers["Content-Length"] = str(len(written))
            await self._send(self._start)
            self._start = None
        if written or is_last:
            await self._send({"type": "http.response.body", "body": written, "more_body": not is_last})

    def _compress(self, body: bytes, is_last: bool) -> bytes:
        assert self._gzip is not None
        return self._gzip.compress(body) + (self._gzip.flush() if is_last else b"")

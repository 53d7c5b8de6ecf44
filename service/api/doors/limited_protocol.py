"""Limits of a connection: bytes before a request, waiting times, waiting requests, and the number of connections.

All are checked while the bytes arrive, before a request exists. Errors are answered as application/problem+json, and
the connection is closed after them. The rest of what the client sends is discarded up to a limit, because a client that
is still writing when the connection is closed loses the answer.
"""

import asyncio
import logging
import math
from collections import Counter
from typing import Any, ClassVar

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from service.api.http.problem_json import PROBLEM_JSON, problem_json
from service.api.http.security_headers import SECURITY_HEADERS
from service.errors import (
    HeadersTooLarge,
    MalformedRequest,
    RavineError,
    RequestTimeout,
    TooManyConnections,
    UrlTooLong,
)
from service.settings import get_settings

log = logging.getLogger("ravine.connections")


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits."""

    _num_of_address: ClassVar[Counter[str]] = Counter()
    _quiet_until: ClassVar[float] = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._settings = get_settings()
        self._is_admitted = self._is_refused = self._is_in_body = False
        # Bytes received since the last complete header block or body byte: an incomplete header block, trailer or
        # chunk header. The parser stores these.
        self._num_pending = 0
        self._num_header_bytes = 0
        self._num_discarded = 0
        self._deadline = math.inf
        self._deadline_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection and await a request, or refuse it at once."""
        is_full = len(self.connections) >= self._settings.max_connections
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        if is_full or self._num_of_address[self._address] >= self._settings.max_connections_per_address:
            self.connections.discard(self)
            self._is_refused = True
            limit = "in all" if is_full else "of this address"
            error = TooManyConnections(f"there are too many open connections {limit}: close some, or try later")
            self._log(error)
            self._write(error)
            # Without discarding: a refused connection must cost nothing.
            transport.close()
            return
        self._is_admitted = True
        self._num_of_address[self._address] += 1
        self._await_within(self._settings.header_seconds)
        self._start_deadline_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer, and count the connection no longer."""
        super().connection_lost(exc)
        self._stop_deadline_timer()
        if self._is_admitted:
            self._is_admitted = False
            self._num_of_address[self._address] -= 1
            if not self._num_of_address[self._address]:
                del self._num_of_address[self._address]

    def data_received(self, data: bytes) -> None:
        """Parse the bytes in pieces, none of which exceeds the limit of a header block."""
        self._unset_keepalive_if_required()
        rest = memoryview(data)
        while rest and not self._is_refused and not self.transport.is_closing():
            size = min(len(rest), self._settings.max_header_bytes - self._num_pending)
            self._num_pending += size
            self._parse(rest[:size])
            rest = rest[size:]
            if self._num_pending >= self._settings.max_header_bytes:
                self._refuse(self._headers_too_large())
        if self._is_refused:
            self._num_discarded += len(rest)
            if self._num_discarded > self._settings.discard_bytes:
                self._abort()
            return
        if self._num_pending and not self._is_in_body and self._deadline == math.inf:
            self._await_within(self._settings.header_seconds)
        self._start_deadline_timer()

    def _parse(self, piece: memoryview) -> None:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return  # The API has no other protocols; the request is answered as usual.
        except httptools.HttpParserError as error:
            reason = error.__context__
            if not isinstance(reason, RavineError):
                reason = MalformedRequest("this is not a valid HTTP request")
            self._refuse(reason)

    # Callbacks of the parser. An exception ends the parsing.
    def on_message_begin(self) -> None:
        """Start the time and the count of a header block."""
        super().on_message_begin()
        self._num_header_bytes = 0
        self._await_within(self._settings.header_seconds)

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the URL."""
        if len(self.url) + len(url) > self._settings.max_url_bytes:
            raise UrlTooLong(f"the URL is too long: at most {self._settings.max_url_bytes:,} bytes are allowed")
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count headers and trailers."""
        # A colon, a space and a line break belong to each.
        self._num_header_bytes += len(name) + len(value) + 4
        if (
            len(self.headers) >= self._settings.max_headers
            or self._num_header_bytes + len(self.url) > self._settings.max_header_bytes
        ):
            raise self._headers_too_large()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Await the body. Requests that a client sends before it has the answers to earlier ones are stored."""
        if len(self.pipeline) >= self._settings.max_pipelined:
            raise MalformedRequest(f"more than {self._settings.max_pipelined} requests await an answer")
        super().on_headers_complete()
        self._num_pending = 0
        self._is_in_body = True
        self._await_within(self._settings.body_seconds)

    def on_body(self, body: bytes) -> None:
        """Await the next byte; close the connection if nobody reads the body any more."""
        self._num_pending = 0
        self._await_within(self._settings.body_seconds)
        if self.cycle.response_complete:
            # The request was answered, and as much of its body was discarded as is allowed (unread_bodies.py).
            self.transport.close()
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Await nothing: uvicorn closes idle connections."""
        self._num_pending = 0
        self._is_in_body = False
        self._deadline = math.inf
        super().on_message_complete()

    def _await_within(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds

    def _start_deadline_timer(self) -> None:
        """Start the timer, unless a timer ends before the deadline and will continue until then."""
        timer = self._deadline_timer
        if self._deadline < math.inf and (timer is None or timer.when() > self._deadline):
            self._stop_deadline_timer()
            self._deadline_timer = self.loop.call_at(self._deadline, self._check_deadline)

    def _stop_deadline_timer(self) -> None:
        if self._deadline_timer is not None:
            self._deadline_timer.cancel()
            self._deadline_timer = None

    def _check_deadline(self) -> None:
        self._deadline_timer = None
        if self.transport.is_closing():
            return
        if self.loop.time() < self._deadline:
            self._start_deadline_timer()
        elif self.flow.read_paused:
            # The server reads nothing until it has processed what it has received.
            self._await_within(self._settings.body_seconds)
            self._start_deadline_timer()
        elif self._is_in_body:
            seconds = self._settings.body_seconds
            self._refuse(RequestTimeout(f"the body is incomplete, and no byte of it arrived for {seconds:g} s"))
        elif self.scope is None and not self._num_pending:
            self.transport.close()  # The client has opened a connection and sent nothing.
        else:
            seconds = self._settings.header_seconds
            self._refuse(RequestTimeout(f"the headers are incomplete after {seconds:g} s"))

    def _refuse(self, error: RavineError) -> None:
        """Answer an error and discard what follows; without an answer if another answer has begun."""
        if self._is_refused:
            return
        self._is_refused = True
        self._log(error)
        cycle = self.cycle
        is_idle = cycle is None or cycle.response_complete
        if self.pipeline or not (is_idle or (self._is_in_body and not cycle.response_started)):
            self._abort()
            return
        self._write(error)
        if not is_idle:
            # The application awaits the rest of the body.
            cycle.disconnected = True
            cycle.message_event.set()
        self.flow.resume_reading()
        self.transport.write_eof()
        self._stop_deadline_timer()
        self._deadline_timer = self.loop.call_later(self._settings.discard_seconds, self._abort)

    def _abort(self) -> None:
        """Close the connection at once; close() would wait until what is written has been sent."""
        if self.cycle is not None:
            # Until connection_lost is called, the application would write to a closed connection.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.abort()

    def _log(self, error: RavineError) -> None:
        """Log at INFO at most ten times a second, because a client can cause thousands of lines."""
        is_quiet = self.loop.time() < LimitedProtocol._quiet_until
        if not is_quiet:
            LimitedProtocol._quiet_until = self.loop.time() + 0.1
        level = logging.DEBUG if is_quiet else logging.INFO
        log.log(level, "client %s: %d, %s; closing the connection", self.client, error.status, error.detail)

    def _write(self, error: RavineError) -> None:
        body = problem_json(error.status, error.title, error.detail, self.scope["path"] if self._is_in_body else "")
        headers = {
            **SECURITY_HEADERS,
            **error.headers,
            "Content-Type": PROBLEM_JSON,
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        lines = [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
        self.transport.write(b"".join([STATUS_LINE[error.status], *lines, b"\r\n", body]))

    def _headers_too_large(self) -> HeadersTooLarge:
        num, size = self._settings.max_headers, self._settings.max_header_bytes
        return HeadersTooLarge(f"the headers are too large: at most {num} headers and {size:,} bytes are allowed")

"""Connections with a limit for clients that read nothing of an answer.

A stream is written piece by piece, each after the piece before it was sent, so at most one piece waits for a client.
Without a limit an answer would wait without end for a client that never reads. The connection is closed when bytes wait
and the client has read nothing for ``stalled_seconds``.
"""

import asyncio
import fcntl
import logging
import struct
import termios
from typing import Any

from service.api.doors.limited_protocol import LimitedProtocol

log = logging.getLogger("ravine.connections")


class Connection(LimitedProtocol):
    """The connection of one client, with the limits of requests."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Start the timer; the transport calls this if its buffer is above the limit."""
        super().pause_writing()
        self._start_timer()

    def resume_writing(self) -> None:
        """Stop the timer; the transport calls this if most of its buffer was sent."""
        super().resume_writing()
        self._stop_timer()

    def on_response_complete(self) -> None:
        """Start the timer for the rest of an answer, which may be below the limit of the buffer."""
        super().on_response_complete()
        if self._timer is None and self.transport.get_write_buffer_size():
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        super().connection_lost(exc)
        self._stop_timer()

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(self._settings.stalled_seconds, self._check, self._num_waiting())

    def _check(self, num_waiting: int) -> None:
        self._timer = None
        if not self.transport.get_write_buffer_size():
            return  # The kernel has the rest.
        if self._num_waiting() < num_waiting:
            self._start_timer()
            return
        seconds = self._settings.stalled_seconds
        log.info("client %s read nothing for %g s; closing the connection", self.client, seconds)
        self._abort()

    def _num_waiting(self) -> int:
        """Count the unsent bytes, in the transport and in the kernel, whose buffer holds megabytes."""
        try:
            unsent = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            unsent = bytes(4)  # Not every kernel gives the number; slow reading is then detected later.
        return self.transport.get_write_buffer_size() + int(struct.unpack("i", unsent)[0])

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

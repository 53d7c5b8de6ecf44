"""Connections of live streams: a client that reads nothing for a while is disconnected.

An answer is written piece by piece, the next one when the last has left, so at most one piece waits for a client.
Without a limit it would wait for ever where the client never reads. Answers whose request has ``state.is_live`` set
are closed when the client has read nothing for ``stalled_seconds``; other answers may pause for as long as they like.
"""

import asyncio
import fcntl
import logging
import struct
import termios
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.settings import get_settings

log = logging.getLogger("ravine.connections")


class Connection(HttpToolsProtocol):
    """One client's connection, as uvicorn serves it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience_seconds = get_settings().stalled_seconds
        self._watch: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Start the watch: the transport holds more than its limit."""
        super().pause_writing()
        if self.cycle.scope.get("state", {}).get("is_live"):
            self._look_later()

    def resume_writing(self) -> None:
        """End the watch: most of it has left."""
        super().resume_writing()
        self._look_no_more()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the watch."""
        super().connection_lost(exc)
        self._look_no_more()

    def _look_later(self) -> None:
        self._watch = self.loop.call_later(self._patience_seconds, self._look, self._num_waiting())

    def _look(self, num_waiting: int) -> None:
        if self._num_waiting() < num_waiting:
            self._look_later()
            return
        log.info("client %s read nothing for %g s; closing the connection", self.client, self._patience_seconds)
        # Closing it would wait until all has left.
        self.transport.abort()

    def _num_waiting(self) -> int:
        """Count the bytes that the client has not taken, here and in the kernel, which lets go of megabytes at once."""
        try:
            unsent = fcntl.ioctl(self.transport.get_extra_info("socket").fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            unsent = bytes(4)  # Not every kernel tells; a slow reader has to take more there to be seen.
        return self.transport.get_write_buffer_size() + int(struct.unpack("i", unsent)[0])

    def _look_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None

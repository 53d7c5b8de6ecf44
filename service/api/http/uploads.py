"""Bodies that are files: written to a temporary file while they arrive, with a limit for all of a process together.

Half of the bytes are for one key. Pieces are written by threads, so that a slow disk delays no other request.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.errors import TooBusy
from service.spec.left_behind import remove_left, temporary_file

_PIECE_BYTES = 1 << 20
_PREFIX = "ravine-upload-"


@dataclass(frozen=True)
class Upload:
    """A complete body on disk."""

    path: Path
    digest: str
    """SHA-256 in hexadecimal."""
    num_bytes: int


class Uploads:
    """The uploads of a process. All methods belong to the event loop."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken: Counter[str] = Counter()
        remove_left(_PREFIX)

    @property
    def num_bytes(self) -> int:
        """Count the bytes on disk."""
        return self._taken.total()

    @asynccontextmanager
    async def receive(self, request: Request, key: str) -> AsyncIterator[Upload]:
        """Receive the body of a request; the file is deleted at the end of the block.

        Raises:
            TooBusy: The uploads of the process, or of the key, have no more space on the disk.
            ClientDisconnect: The client has disconnected before the end.
        """
        taken = 0
        file = temporary_file(_PREFIX)
        path = await run_in_threadpool(file.__enter__)
        try:
            digest, waiting = hashlib.sha256(), bytearray()
            async for piece in request.stream():
                self._require_space(key, len(piece))
                self._taken[key] += len(piece)
                taken += len(piece)
                waiting += piece
                if len(waiting) >= _PIECE_BYTES:
                    await run_in_threadpool(_write, path, digest, waiting)
                    waiting = bytearray()
            await run_in_threadpool(_write, path, digest, waiting)
            yield Upload(path, digest.hexdigest(), taken)
        finally:
            self._taken[key] -= taken
            if not self._taken[key]:
                del self._taken[key]
            await run_in_threadpool(file.__exit__, None, None, None)

    def _require_space(self, key: str, num_bytes: int) -> None:
        if self.num_bytes + num_bytes > self._max_bytes or self._taken[key] + num_bytes > self._max_bytes // 2:
            raise TooBusy("other uploads take all space for temporary files: try again later")


def _write(path: Path, digest: "hashlib._Hash", piece: bytearray) -> None:
    digest.update(piece)
    with path.open("ab") as file:
        file.write(piece)

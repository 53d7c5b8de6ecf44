"""Position of a reader in the event stream of a job. Written as a short text, it is the id of an event.

The rows of a shard are stored in order of their epochs, and the shard's row gives the last stored epoch in the same
transaction. A position is therefore one epoch per shard. It yields neither gaps nor repeats, in whatever order the
chunks of several shards are stored and become visible.

Shards start in about the order of their numbers. A position is the number of leading shards that were sent to their
end, and the epochs of the next WINDOW shards. Rows of shards beyond the window are sent later. This bounds the length
of the text, however many shards a job has.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from service.database.states import JobStatus
from service.errors import BadCursor

# More shards than workers train at the same time. 256 numbers of up to five bytes make at most 1,700 characters.
WINDOW = 256
_LIMIT = 2**32
_STATUSES = ("", *JobStatus, "end")
# The first number is the place of the status, and this number times the number of looks.
_LOOK = 16


@dataclass(frozen=True)
class StreamPosition:
    """The part of a job's history that a reader has received."""

    status: str = ""
    """The last status sent; `end` after the last event; empty at the start."""
    behind: int = 0
    """Shards 0 to ``behind`` − 1 have ended, and all of their rows were sent."""
    epochs: tuple[int, ...] = ()
    """For each shard from ``behind`` on, the first epoch that was not sent; 0 for shards after the last one listed."""
    looks: int = 0
    """Number of looks of a job that decides that were sent."""

    def epoch(self, shard: int) -> int:
        """Give the first epoch of a shard that was not sent."""
        at = shard - self.behind
        return self.epochs[at] if 0 <= at < len(self.epochs) else 0


def write_position(position: StreamPosition, job_id: str) -> str:
    """Write a position as the id of an event."""
    numbers = (_STATUSES.index(position.status) + _LOOK * position.looks, position.behind, *position.epochs)
    data = b"".join(_varint(number) for number in numbers)
    return urlsafe_b64encode(_checksum(data, job_id) + data).decode().rstrip("=")


def read_position(text: str | None, job_id: str) -> StreamPosition:
    """Read the id of an event; the start of the stream if there is none.

    Raises:
        BadCursor: The text is not the id of an event of this job.
    """
    if not text:
        return StreamPosition()
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        checksum, data = raw[:4], raw[4:]
        if checksum != _checksum(data, job_id):
            raise ValueError("wrong checksum")
        status, behind, *epochs = _numbers(data)
        looks, status = divmod(status, _LOOK)
        return StreamPosition(_STATUSES[status], behind, tuple(epochs[:WINDOW]), looks)
    except (ValueError, IndexError):
        raise BadCursor("last_event_id is not the id of an event of this job: start again without it") from None


def _checksum(data: bytes, job_id: str) -> bytes:
    return crc32(job_id.encode() + data).to_bytes(4, "big")


def _varint(number: int) -> bytes:
    """Write seven bits per byte, the lowest first; all bytes but the last have their highest bit set."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def _numbers(data: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if number >= _LIMIT:
            raise ValueError("number above 32 bits")
        if byte < 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("last number is not complete")

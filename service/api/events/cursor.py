"""Where in a job's history is a reader? The id of an event: what it has been told, shard by shard, in a short text.

Rows of a shard are stored in order of their epochs, and its row says up to which one in the same transaction. So a
reader's place is an epoch for each shard: however chunks of several shards come in between, and whatever order commits
become visible in, there is neither a gap nor a repeat.

Shards begin in about the order of their numbers. A place is therefore the number of shards that are behind, told to
their end, and the epochs of the next WINDOW: what is stored further ahead has to wait. So the text stays short,
however many shards a job has.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from service.database.states import JobStatus
from service.errors import BadCursor

# More than workers train at a time; 256 numbers of up to five bytes make a text of 1,700 letters at the very most.
WINDOW = 256
_LIMIT = 2**32
_TOLD = ("", *JobStatus, "end")


@dataclass(frozen=True)
class Place:
    """What a reader knows of a job."""

    told: str = ""
    """The status that it was told last, `end` when that was all, nothing at the very beginning."""
    behind: int = 0
    """Shards 0 to ``behind`` − 1 have ended, and all of their rows were told."""
    epochs: tuple[int, ...] = ()
    """Of each shard from there on, the first epoch that was not told; shards after the last one: 0."""

    def epoch(self, shard: int) -> int:
        """Give the first epoch of a shard that was not told."""
        at = shard - self.behind
        return self.epochs[at] if 0 <= at < len(self.epochs) else 0


def write_place(place: Place, job_id: str) -> str:
    """Make the id of an event."""
    numbers = (_TOLD.index(place.told), place.behind, *place.epochs)
    data = b"".join(_varint(number) for number in numbers)
    return urlsafe_b64encode(_check(data, job_id) + data).decode().rstrip("=")


def read_place(text: str | None, job_id: str) -> Place:
    """Read an id back; the beginning where there is none.

    Raises:
        BadCursor: This API did not give it out, or gave it out for another job.
    """
    if not text:
        return Place()
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        check, data = raw[:4], raw[4:]
        if check != _check(data, job_id):
            raise ValueError("the sum over the id is wrong")
        told, behind, *epochs = _numbers(data)
        return Place(_TOLD[told], behind, tuple(epochs[:WINDOW]))
    except (ValueError, IndexError):
        raise BadCursor("last_event_id is not the id of an event of this job: start again without one") from None


def _check(data: bytes, job_id: str) -> bytes:
    return crc32(job_id.encode() + data).to_bytes(4, "big")


def _varint(number: int) -> bytes:
    """Write seven bits a byte, the lowest first; all bytes but the last have their highest bit set."""
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
            raise ValueError("a number is too large")
        if byte < 0x80:
            yield number
            number = shift = 0
    if shift:
        raise ValueError("the last number has no end")

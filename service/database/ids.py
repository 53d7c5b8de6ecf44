"""Ids of jobs and runs: UUIDv7, sortable by creation time; the id of a run contains its job and its index.

The id of a job has the time to 244 ns (RFC 9562, section 6.2, method 3) and 30 random bits; its last 32 bits are zero.
The id of run i has i + 1 in these bits. Ids of runs are therefore not stored, and a run is found by its primary key.
"""

import re
import secrets
import time
from uuid import UUID

from service.errors import NotFound

_INDEX_BITS = 32
_INDEX_MASK = (1 << _INDEX_BITS) - 1
_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def new_job_id() -> str:
    """Make an id that sorts after all earlier ones."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    random = secrets.randbits(62 - _INDEX_BITS) << _INDEX_BITS
    return str(UUID(int=(milliseconds << 80) | _VERSION_7 | (fraction << 64) | _VARIANT | random))


def is_id(text: str) -> bool:
    """Whether a text has the form of an id of the API."""
    return _ID.fullmatch(text) is not None


def run_id(job_id: str, index: int) -> str:
    """Give the id of a job's run."""
    return str(UUID(int=UUID(job_id).int + index + 1))


def split_run_id(text: str) -> tuple[str, int]:
    """Find the job's id and the index in the id of a run.

    Raises:
        NotFound: The text is not the id of a run.
    """
    if not is_id(text):
        raise NotFound(f"there is no run {text!r}")
    number = UUID(text).int
    return str(UUID(int=number & ~_INDEX_MASK)), (number & _INDEX_MASK) - 1

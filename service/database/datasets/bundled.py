"""The uploaded dataset of a job in its bundle, so that the job can be trained again without the service."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.database.connection import Database
from service.database.datasets import stored
from service.errors import NotFound

# A larger file is left out of the bundle; who verifies it gives the file.
MAX_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class Bundled:
    """An uploaded dataset. ``content`` is None for a large one."""

    media_type: str
    num_bytes: int
    content: bytes | None


def bundled(database: Database, spec: Mapping[str, Any]) -> Bundled | None:
    """Read the dataset of a stored spec; None for a job without one, a built-in dataset, and one that was deleted."""
    problem = spec["problem"]
    if problem["kind"] != "data":
        return None
    try:
        with database.snapshot() as session:
            found = stored.find(session, None, problem["dataset"])
        if found.key is None or found.digest != problem["resolved"]["digest"]:
            return None
        is_small = found.num_bytes <= MAX_BYTES
        content = b"".join(stored.content(database, found)) if is_small else None
    except NotFound:
        return None
    return Bundled(found.media_type, found.num_bytes, content)

"""Upload of datasets: the content is stored in chunks, each a short transaction, so that others can write meanwhile.

Until it is complete, a dataset belongs to nobody.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from uuid import uuid4

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import Dataset, DatasetChunk
from service.database.connection import Database
from service.database.datasets.chunks import chunks_of
from service.database.datasets.removing import leave
from service.database.datasets.stored import NOBODY, Found, found_in, select_found
from service.database.ids import new_job_id
from service.database.statements import lock
from service.errors import Conflict, QuotaReached
from service.settings import Settings
from service.spec.datasets.summary import Json

# A transaction of so many holds SQLite's write lock for about 25 ms.
_CHUNKS_AT_ONCE = 4
# An upload that has not ended after this time has lost its process.
_UNFINISHED_SECONDS = 3_600.0


@dataclass(frozen=True)
class NewFile:
    """A file on this machine that was decoded."""

    path: Path
    name: str
    media_type: str
    digest: str
    summary: Json
    ttl_seconds: int | None = None

    def described(self, summary: Json) -> "NewFile":
        """Add the summary of the decoded table."""
        return replace(self, summary=summary)


def add(database: Database, owner: str, new: NewFile, settings: Settings) -> tuple[Found, bool]:
    """Store a file, and return the dataset and whether it is new: the same content of an owner is stored once.

    Raises:
        Conflict: The owner has the same content with another media type.
        QuotaReached: The owner would have too many datasets, or too many bytes.
    """
    size = new.path.stat().st_size
    with database.transaction() as session:
        if (known := known_content(session, owner, new)) is not None:
            return known, False
        check_quota(session, owner, size, settings)
        key = _begin(session, new, size)
    numbered = enumerate(chunks_of(new.path))
    while some := list(islice(numbered, _CHUNKS_AT_ONCE)):
        with database.transaction() as session:
            session.add_all(DatasetChunk(dataset_key=key, number=number, data=chunk) for number, chunk in some)
    with database.transaction() as session:
        # Concurrent uploads of one owner would not see each other's datasets.
        lock(session, f"datasets of {owner}")
        if (known := known_content(session, owner, new)) is not None:
            leave(session, Dataset.key == key)
            return known, False
        check_quota(session, owner, size, settings)
        values = {"owner": owner, "digest": new.digest, "created_at": datetime.now(UTC), "expires_at": _end(new)}
        session.execute(update(Dataset).where(Dataset.key == key).values(values))
        return found_in(session.execute(select_found().where(Dataset.key == key)).one()), True


def _begin(session: Session, new: NewFile, size: int) -> int:
    row = Dataset(
        id=new_job_id(),
        owner=NOBODY,
        name=new.name,
        media_type=new.media_type,
        digest=uuid4().hex,
        num_rows=new.summary["rows"],
        num_bytes=size,
        columns={"columns": new.summary["columns"], "shape": new.summary["shape"]},
        created_at=datetime.now(UTC),
        expires_at=datetime.now(UTC) + timedelta(seconds=_UNFINISHED_SECONDS),
    )
    session.add(row)
    session.flush()
    return row.key


def _end(new: NewFile) -> datetime | None:
    return None if new.ttl_seconds is None else datetime.now(UTC) + timedelta(seconds=new.ttl_seconds)


def known_content(session: Session, owner: str, new: NewFile) -> Found | None:
    """Find the dataset with the content of a file. It lives as long as the later of both times to live.

    Raises:
        Conflict: It has another media type, so that it is another table.
    """
    row = session.execute(select_found().where(Dataset.owner == owner, Dataset.digest == new.digest)).one_or_none()
    if row is None:
        return None
    found = found_in(row)
    if found.media_type != new.media_type:
        raise Conflict(
            f"the same bytes are stored as {found.media_type} in dataset {found.id}: delete it first, or send this type"
        )
    end = _end(new)
    if found.expires_at is not None and (end is None or end > found.expires_at):
        session.execute(update(Dataset).where(Dataset.key == found.key).values(expires_at=end))
        found = found_in(session.execute(select_found().where(Dataset.key == found.key)).one())
    return found


def stored(session: Session, owner: str) -> tuple[int, int]:
    """Count the datasets of an owner, and the bytes of their files."""
    query = select(func.count(), func.coalesce(func.sum(Dataset.num_bytes), 0)).where(Dataset.owner == owner)
    num, size = session.execute(query).one()
    return int(num), int(size)


def check_quota(session: Session, owner: str, size: int, settings: Settings) -> None:
    """Check that an owner may store another file of this size.

    Raises:
        QuotaReached: A limit is reached.
    """
    num, used = stored(session, owner)
    if num >= settings.max_datasets:
        raise QuotaReached(f"{num:,} datasets are stored; at most {settings.max_datasets:,} are allowed: delete some")
    if used + size > settings.max_stored_dataset_bytes:
        raise QuotaReached(
            f"{used:,} bytes of datasets are stored, and the file has {size:,}; at most "
            f"{settings.max_stored_dataset_bytes:,} are allowed: delete datasets, or set ttl_seconds"
        )


def digest_of(path: Path) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Stored datasets, and built-in ones beside them: find, list, read. No function commits.

A dataset that is not complete yet, or is deleted, belongs to nobody (adding.py, removing.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, case, cast, false, func, null, select
from sqlalchemy.orm import Session

from service.database.accounts import Dataset, DatasetChunk
from service.database.connection import Database
from service.database.datasets.chunks import decompressed, num_chunks
from service.database.ids import is_id
from service.errors import NotFound
from service.spec.datasets import builtin
from service.spec.datasets.summary import Json

# Owners are the ids of keys, or empty.
NOBODY = "~"
# Longest description of columns in a list, in characters: that of about 200 columns.
_LISTED_CHARACTERS = 30_000


@dataclass(frozen=True)
class Found:
    """A dataset: stored with a key, or built in without one. ``columns`` are None where a list leaves them out."""

    key: int | None
    id: str
    name: str
    digest: str
    media_type: str
    num_rows: int
    num_bytes: int
    columns: list[Json] | None
    shape: list[int]
    created_at: datetime | None = None
    expires_at: datetime | None = None


def find(session: Session, owner: str | None, id_or_name: str, *, keep: bool = False) -> Found:
    """Find a dataset of an owner by its id, or a built-in one by its name. Without an owner, of every owner.

    ``keep``: no other transaction deletes it before this one has ended, which may store a job that uses it.

    Raises:
        NotFound: The owner has no such dataset.
    """
    if id_or_name in builtin.NAMES:
        return built_in(id_or_name)
    query = select_found().where(of_owner(owner), Dataset.id == id_or_name if is_id(id_or_name) else false())
    row = session.execute(query.with_for_update(read=True) if keep else query).one_or_none()
    if row is None:
        raise NotFound(
            f"there is no dataset {id_or_name!r}; it is the id of an own one, or one of {', '.join(builtin.NAMES)}"
        )
    return found_in(row)


def built_in(name: str) -> Found:
    """Describe a built-in dataset."""
    known = builtin.summary(name)
    return Found(
        key=None,
        id=name,
        name=name,
        digest=builtin.digest(name),
        media_type=builtin.media_type(name),
        num_rows=known["rows"],
        num_bytes=len(builtin.content(name)),
        columns=known["columns"],
        shape=known["shape"],
    )


def listed(session: Session, owner: str | None, *, before: int | None, limit: int) -> list[tuple[int, Found]]:
    """List datasets with their places, which fall: the newest first, built-in ones last. Only places below ``before``.

    Long descriptions of columns are left out.
    """
    num_built_in = len(builtin.NAMES)
    end = None if before is None else before - num_built_in
    query = select_found(is_list=True).where(of_owner(owner)).order_by(Dataset.key.desc()).limit(limit)
    found = [
        (row.key + num_built_in, found_in(row))
        for row in session.execute(query if end is None else query.where(Dataset.key < end))
    ]
    places = [num_built_in - 1 - at for at in range(num_built_in)]
    known = [
        (place, built_in(name))
        for place, name in zip(places, builtin.NAMES, strict=True)
        if before is None or place < before
    ]
    return (found + known)[:limit]


def content(database: Database, found: Found) -> Iterator[bytes]:
    """Give the file of a dataset in pieces, each read in a transaction of its own.

    Raises:
        NotFound: The dataset was deleted meanwhile.
    """
    if found.key is None:
        yield builtin.content(found.id)
        return
    for number in range(num_chunks(found.num_bytes)):
        chosen = DatasetChunk.dataset_key == found.key, DatasetChunk.number == number
        with database.snapshot() as session:
            chunk = session.execute(select(DatasetChunk.data).where(*chosen)).scalar_one_or_none()
        if chunk is None:
            raise NotFound(f"dataset {found.id} was deleted while its file was read")
        yield decompressed(chunk, number, found.num_bytes)


def of_owner(owner: str | None) -> ColumnElement[bool]:
    """Write the condition that an owner has a dataset; None stands for every owner."""
    return Dataset.owner != NOBODY if owner is None else Dataset.owner == owner


def select_found(*, is_list: bool = False) -> Any:
    """Write the query of what ``found_in`` reads."""
    columns: Any = Dataset.columns["columns"]
    if is_list:
        columns = case((func.length(cast(Dataset.columns, Text)) < _LISTED_CHARACTERS, columns), else_=null())
    return select(
        Dataset.key,
        Dataset.id,
        Dataset.name,
        Dataset.digest,
        Dataset.media_type,
        Dataset.num_rows,
        Dataset.num_bytes,
        columns.label("described"),
        Dataset.columns["shape"].label("shape"),
        Dataset.created_at,
        Dataset.expires_at,
    )


def found_in(row: Row[Any]) -> Found:
    """Make a dataset of a row."""
    return Found(*tuple(row))

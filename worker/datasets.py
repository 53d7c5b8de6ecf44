"""Decoded datasets of a worker, in memory and in the folder that the processes of its host share."""

from functools import cache

from service.database.connection import Database
from service.database.datasets import stored
from service.errors import NotFound
from service.settings import get_settings
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.table import Table


@cache
def _tables() -> DecodedTables:
    return DecodedTables(get_settings())


def table(database: Database, dataset: str, digest: str) -> Table:
    """Give the table of a dataset, the same bits on every host.

    Args:
        database: The database, which is read once for a content on a host.
        dataset: The id of a dataset of any owner, or the name of a built-in one.
        digest: The digest that the dataset must have.

    Raises:
        NotFound: There is no such dataset, or it has another content.
    """
    with database.snapshot() as session:
        found = stored.find(session, None, dataset)
    if found.digest != digest:
        raise NotFound(f"the dataset {dataset!r} has the digest {found.digest}, not {digest}")
    if found.key is None:
        return builtin.table(found.id)
    return _tables().find_or_make(digest, found.media_type, lambda: b"".join(stored.content(database, found)))


def decoded(digest: str, media_type: str, content: bytes) -> Table:
    """Give the table of a file.

    Raises:
        Rejected: The file cannot be read.
    """
    return _tables().find_or_make(digest, media_type, lambda: content)

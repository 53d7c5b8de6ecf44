"""The dataset that a spec names: a built-in one, or an uploaded one of its owner."""

from service.database.connection import Database
from service.database.datasets import stored
from service.errors import NotFound
from service.spec.datasets import builtin
from service.spec.datasets.decoded import DecodedTables
from service.spec.datasets.misfit import Misfit
from service.spec.datasets.table import Table


def load(database: Database, tables: DecodedTables, owner: str, reference: str) -> tuple[int | None, str, Table]:
    """Give the key of a stored dataset (None for a built-in one), its digest, and its decoded content.

    Raises:
        Misfit: There is no built-in dataset of this name, and the owner has none with this id.
    """
    try:
        with database.snapshot() as session:
            found = stored.find(session, owner, reference)
        if found.key is None:
            return None, found.digest, builtin.table(found.id)
        content = tables.find_or_make(found.digest, found.media_type, lambda: b"".join(stored.content(database, found)))
    except NotFound as missing:
        raise Misfit("dataset", missing.detail) from None
    return found.key, found.digest, content

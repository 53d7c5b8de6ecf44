"""The dataset that a spec names: a built-in one, or an uploaded one of its owner."""

import hashlib
from functools import cache

from sqlalchemy.orm import Session

from service.datasets import builtin
from service.datasets.misfit import Misfit
from service.datasets.table import Table


def load(session: Session, owner: str, reference: str) -> tuple[int | None, str, Table]:
    """Give the key of a stored dataset (None for a built-in one), its digest, and its decoded content.

    Raises:
        Misfit: There is no built-in dataset of this name, and the owner has none with this id.
    """
    if reference in builtin.NAMES:
        return None, builtin_digest(reference), builtin.table(reference)
    known = ", ".join(builtin.NAMES)
    raise Misfit("dataset", f"there is no dataset {reference!r}; built in are {known}")


@cache
def builtin_digest(name: str) -> str:
    """Give the SHA-256 of a built-in dataset, as hexadecimal digits."""
    return hashlib.sha256(builtin.content(name)).hexdigest()

"""Stored minima and curvatures of linear models on data. No function commits."""

import hashlib
import json
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.analysis.linear_theory import LinearTheory
from service.database.known_minima import KnownMinimum
from service.database.statements import add_missing
from service.spec.models import Linear
from service.spec.problems.data import Data

# The newest rows that are kept. What was removed is computed again when a worker needs it.
MAX_ROWS = 2_000
# Fields of a problem that decide its curvatures and its minimum, beside the digest of the dataset.
_DECISIVE = (
    *("dataset", "target", "features", "task", "missing", "train_size"),
    *("test_share", "validation_share", "split_seed", "scale", "l2"),
)


def has_theory(problem: Data) -> bool:
    """Whether all runs of a problem have the same minimum, if there is one."""
    return isinstance(problem.model, Linear) and not problem.label_noise


def id_of(problem: Data) -> str:
    """Give the id of what is known of a resolved problem."""
    assert problem.resolved is not None
    decisive = {name: getattr(problem, name) for name in _DECISIVE} | {"digest": problem.resolved.digest}
    decisive["validation_share"] = problem.validation_share or 0.0
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def find(session: Session, problem: Data) -> LinearTheory | None:
    """Read what is known of a resolved problem; None until a worker has computed it."""
    row = session.get(KnownMinimum, id_of(problem))
    return None if row is None else LinearTheory.of(row.theory, row.minimum)


def add(session: Session, problem: Data, dataset_key: int | None, found: LinearTheory) -> LinearTheory:
    """Store what a worker has computed, and give it; if another one was first, give what that one has stored.

    Workers on different processors may differ in the last bits, and all runs must have the same minimum.
    """
    row = {
        "id": id_of(problem),
        "dataset_key": dataset_key,
        "created_at": datetime.now(UTC),
        "theory": found.as_dict(),
        "minimum": None if found.minimum_D is None else found.minimum_D.astype("<f8").tobytes(),
    }
    add_missing(session, KnownMinimum, row)
    too_many = select(KnownMinimum.id).order_by(KnownMinimum.created_at.desc(), KnownMinimum.id).offset(MAX_ROWS)
    session.execute(delete(KnownMinimum).where(KnownMinimum.id.in_(too_many.limit(20))))
    return find(session, problem) or found

"""Deletion of datasets. No function commits.

A deleted dataset belongs to nobody at once, so that nothing finds it; its chunks are removed in short transactions.
"""

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import Dataset, DatasetChunk
from service.database.datasets.stored import NOBODY, of_owner
from service.database.ids import is_id
from service.database.statements import seconds_from_now
from service.database.tables import JOB_IS_OPEN, Job
from service.errors import Conflict, NotFound
from service.spec.datasets import builtin

_OF_NOBODY = and_(Dataset.owner == NOBODY, Dataset.expires_at <= seconds_from_now())
# Whether ``remove_chunks`` has something to do.
CAN_REMOVE_CHUNKS = exists(select(Dataset.key).where(_OF_NOBODY))
_IS_USED = exists().where(Job.dataset_key == Dataset.key, JOB_IS_OPEN)
_HAS_EXPIRED = Dataset.owner != NOBODY, Dataset.expires_at < seconds_from_now(), ~_IS_USED
# Whether ``remove_expired`` has something to do.
HAS_EXPIRED = exists(select(Dataset.key).where(*_HAS_EXPIRED))


def remove(session: Session, owner: str | None, dataset_id: str) -> None:
    """Delete a dataset. Nothing finds it afterwards; its chunks are removed later.

    Raises:
        NotFound: The owner has no such dataset.
        Conflict: A job that has not ended uses it, or it is built in.
    """
    if dataset_id in builtin.NAMES:
        raise Conflict(f"the dataset {dataset_id!r} is built in and cannot be deleted")
    chosen = of_owner(owner), Dataset.id == dataset_id if is_id(dataset_id) else false()
    key = session.execute(select(Dataset.key).where(*chosen).with_for_update()).scalar_one_or_none()
    if key is None:
        raise NotFound(f"there is no dataset {dataset_id!r}")
    job_id = session.execute(select(Job.id).where(Job.dataset_key == key, JOB_IS_OPEN).limit(1)).scalar()
    if job_id is not None:
        raise Conflict(f"job {job_id} uses the dataset and has not ended: cancel it, or delete the dataset later")
    leave(session, Dataset.key == key)


def remove_expired(session: Session) -> int:
    """Delete at most 20 datasets whose time to live is over and which no open job uses."""
    query = select(Dataset.key).where(*_HAS_EXPIRED)
    keys = session.execute(query.limit(20).with_for_update(skip_locked=True)).scalars().all()
    # A job may have been stored between the look at the jobs and the lock.
    used = set(session.execute(select(Job.dataset_key).where(Job.dataset_key.in_(keys), JOB_IS_OPEN)).scalars())
    if unused := [key for key in keys if key not in used]:
        leave(session, Dataset.key.in_(unused))
    return len(unused)


def leave(session: Session, chosen: ColumnElement[bool]) -> None:
    """Let datasets belong to nobody: nothing finds them, and their chunks are removed."""
    digest = func.replace(Dataset.id, "-", "")
    session.execute(update(Dataset).where(chosen).values(owner=NOBODY, digest=digest, expires_at=seconds_from_now()))


def remove_chunks(session: Session, limit: int = 4) -> int | None:
    """Remove some chunks of the first dataset that belongs to nobody, and its row with the last ones.

    Returns:
        The number of removed chunks; None if there is no such dataset.
    """
    query = select(Dataset.key).where(_OF_NOBODY).order_by(Dataset.key).limit(1).with_for_update(skip_locked=True)
    key = session.execute(query).scalar_one_or_none()
    if key is None:
        return None
    numbers = select(DatasetChunk.number).where(DatasetChunk.dataset_key == key).order_by(DatasetChunk.number)
    some = session.execute(numbers.limit(limit)).scalars().all()
    session.execute(delete(DatasetChunk).where(DatasetChunk.dataset_key == key, DatasetChunk.number.in_(some)))
    if len(some) < limit:
        session.execute(delete(Dataset).where(Dataset.key == key))
    return len(some)

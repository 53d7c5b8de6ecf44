"""Removal of deleted jobs. A job disappears at once, with its row; the rows that belong to it are removed in chunks.

Each chunk is a transaction of its own and stores where the next one begins. Any process can continue, and several
processes can remove rows at the same time. No function commits.
"""

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import Removal
from service.database.tables import Job, Shard
from service.database.writing import FIRST_PLACE, JOB_PARTS, delete_some
from service.jobs import quotas
from service.jobs.quotas import Size

# A decision map takes as much space as this many metric rows.
_ROWS_PER_DECISION = 32
# Whether ``step`` has something to do.
CAN_STEP = exists(select(Removal.job_key))


def begin(session: Session, job: Job) -> None:
    """Delete the row of a job, and its shards and tags; the row must be locked. Nothing finds the job afterwards."""
    sums = [func.coalesce(func.sum(column), 0) for column in (Shard.num_rows, Shard.num_bytes)]
    stored = session.execute(select(*sums).where(Shard.job_key == job.key)).one()
    session.add(Removal(job_key=job.key, owner=job.owner, num_rows=int(stored[0]), num_bytes=int(stored[1])))
    session.flush()
    session.execute(delete(Job).where(Job.key == job.key))


def step(session: Session, limit: int) -> int | None:
    """Remove about ``limit`` rows of the first deleted job that no other process is removing.

    Returns:
        The number of removed rows; None if there is no such job.
    """
    query = select(Removal).order_by(Removal.job_key).limit(1).with_for_update(skip_locked=True)
    removal = session.execute(query).scalar_one_or_none()
    if removal is None:
        return None
    part = JOB_PARTS[removal.part]
    most = limit // _ROWS_PER_DECISION if part == "decisions" else limit
    num, place = delete_some(session, part, removal.job_key, (removal.next_run, removal.next_place), most)
    is_last = place is None and removal.part == len(JOB_PARTS) - 1
    before = Size(removal.num_rows, removal.num_bytes)
    after = Size() if is_last else _remaining(before, num if part == "metrics" else 0)
    quotas.add(session, removal.owner, after - before)
    chosen = Removal.job_key == removal.job_key
    if is_last:
        session.execute(delete(Removal).where(chosen))
        return num
    next_run, next_place = place or FIRST_PLACE
    progress = {"part": removal.part + (place is None), "next_run": next_run, "next_place": next_place}
    session.execute(update(Removal).where(chosen).values(**progress, num_rows=after.rows, num_bytes=after.bytes))
    return num


def _remaining(before: Size, num_removed: int) -> Size:
    """Subtract rows with their share of the bytes."""
    rows = max(0, before.rows - num_removed)
    return Size(rows, before.bytes * rows // before.rows if before.rows else before.bytes)

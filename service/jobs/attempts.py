"""What an attempt reads of its shard: a reason to stop, and whether a chunk was stored. Nothing is changed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.database.statements import seconds_from_now
from service.database.states import SHARD_ENDED, JobStatus, Stop
from service.database.tables import Checkpoint, Job, Shard
from service.jobs.shards import Claim, held


def look(session: Session, claim: Claim) -> Stop | None:
    """Return why an attempt must stop; None if it may continue."""
    row = session.execute(
        select(
            Shard.attempt, Shard.status, Job.status.label("job"), (Job.deadline_at < seconds_from_now()).label("late")
        )
        .join(Job, Job.key == Shard.job_key)
        .where(Shard.job_key == claim.job_key, Shard.number == claim.number)
    ).one_or_none()
    if row is None or row.attempt != claim.attempt or row.status in SHARD_ENDED:
        return Stop.LOST
    if row.job == JobStatus.CANCELLING:
        return Stop.CANCELLED
    return Stop.TIMED_OUT if row.late else None


def has_stored(session: Session, claim: Claim, checkpoint: bytes | None) -> bool:
    """Whether a chunk is stored, by its checkpoint; for a chunk without one, whether the shard has ended.

    If the connection is lost during a commit, the commit may have been made or not. Two chunks never have the same
    checkpoint.
    """
    if checkpoint is None:
        ended = select(Shard.number).where(*held(claim), Shard.status.in_(SHARD_ENDED))
        return session.execute(ended).one_or_none() is not None
    found = session.execute(
        select(Checkpoint.data)
        .join(Shard, (Shard.job_key == Checkpoint.job_key) & (Shard.number == Checkpoint.number))
        .where(*held(claim))
    ).scalar_one_or_none()
    return found == checkpoint

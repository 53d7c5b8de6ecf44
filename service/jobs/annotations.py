"""Name, tags and note of a job, which its owner may change at any time. No function commits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service.database.tables import Job, JobTag
from service.jobs import lifecycle
from service.jobs.owners import Caller


def change(session: Session, job_id: str, caller: Caller, changes: dict[str, Any]) -> Job:
    """Change what ``changes`` has: ``name``, ``note`` (None removes it), and ``tags``, which replace the former ones.

    The spec, its digest and the rows stay as they are.

    Raises:
        NotFound: The caller has no job with this id.
    """
    job = lifecycle.find_locked(session, job_id, caller)
    if "name" in changes:
        job.name, job.name_folded = changes["name"], changes["name"].casefold()
    if "note" in changes:
        job.note = changes["note"] or None
    if "tags" in changes:
        session.execute(delete(JobTag).where(JobTag.job_key == job.key))
        session.add_all(JobTag(job_key=job.key, tag=tag) for tag in changes["tags"])
    session.flush()
    return job


def tags_of(session: Session, keys: Sequence[int]) -> dict[int, list[str]]:
    """Give the tags of jobs in the order of the alphabet; a job without tags is left out."""
    found: dict[int, list[str]] = {}
    query = select(JobTag).where(JobTag.job_key.in_(keys))
    for one in sorted(session.execute(query).scalars(), key=lambda one: one.tag):
        found.setdefault(one.job_key, []).append(one.tag)
    return found

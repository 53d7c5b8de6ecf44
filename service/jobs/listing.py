"""Lists of jobs: filters, orders, and pages that begin after a job."""

from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from service.database.statements import by_code_point, contains, milliseconds_between
from service.database.tables import Job, JobTag
from service.jobs.owners import Caller

Sort = Literal["created", "name", "longest", "runs"]


class After(NamedTuple):
    """The last job of the page before: its value of the order, and its key. Of ``created`` the key is the value."""

    value: str | int
    key: int


def listed(
    session: Session,
    caller: Caller,
    *,
    after: After | None = None,
    limit: int,
    sort: Sort = "created",
    status: str | None = None,
    name: str | None = None,
    problem: str | None = None,
    tag: str | None = None,
) -> list[Job]:
    """List the jobs of a caller that follow a job in an order; of equal ones the newest first.

    Args:
        session: A transaction.
        caller: The caller.
        after: The last job of the page before.
        limit: Number of jobs.
        sort: ``created`` (newest first), ``name`` (by the numbers of its characters, case-folded), ``longest`` (time
            from start to end, jobs without an end last), ``runs`` (most first).
        status: Only jobs with this status.
        name: Only jobs whose name contains this, case-folded.
        problem: Only jobs on this kind of problem.
        tag: Only jobs with this tag.
    """
    # First the keys alone: those of most lists are read from an index.
    query = select(Job.key).order_by(*_order(sort)).limit(limit)
    if not caller.is_admin:
        query = query.where(Job.owner == caller.id)
    if after is not None:
        query = query.where(_follows(sort, after))
    if status is not None:
        query = query.where(Job.status == status)
    if name is not None:
        query = query.where(contains(Job.name_folded, name.casefold()))
    if problem is not None:
        query = query.where(Job.problem == problem)
    if tag is not None:
        query = query.where(Job.key.in_(select(JobTag.job_key).where(JobTag.tag == tag)))
    return list(session.execute(select(Job).where(Job.key.in_(query)).order_by(*_order(sort))).scalars())


def place_of(session: Session, job: Job, sort: Sort) -> After:
    """Give the place of a job in an order, after which the next page begins."""
    if sort == "created":
        return After(job.key, job.key)
    return After(session.execute(select(_VALUES[sort]).where(Job.key == job.key)).scalar_one(), job.key)


_VALUES: dict[Sort, ColumnElement[Any]] = {
    "name": by_code_point(Job.name_folded),
    "longest": func.coalesce(milliseconds_between(Job.started_at, Job.finished_at), -1),
    "runs": Job.runs_total.expression,
}


def _order(sort: Sort) -> list[ColumnElement[Any]]:
    newest = Job.key.desc()
    if sort == "created":
        return [newest]
    return [_VALUES[sort].asc() if sort == "name" else _VALUES[sort].desc(), newest]


def _follows(sort: Sort, after: After) -> ColumnElement[bool]:
    if sort == "created":
        return Job.key < after.key
    value = _VALUES[sort]
    is_behind = value > after.value if sort == "name" else value < after.value
    return or_(is_behind, (value == after.value) & (Job.key < after.key))

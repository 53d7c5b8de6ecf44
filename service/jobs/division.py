"""Division of runs of a job into shards, stored by one statement however many there are. It does not commit."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Insert, Integer, bindparam, case, insert, select
from sqlalchemy.orm import Session

from service.database.tables import Job, Shard
from service.spec.offered_kinds import offered_kinds
from service.spec.price import Price

# Shards of the first portion of a job; the next one has as many, and each further one twice as many as that before it.
PORTION = 8


def store_shards(session: Session, new: Sequence[tuple[Job, Price]]) -> None:
    """Insert the shards of new jobs."""
    session.execute(_INSERT, [_values(job, cost) for job, cost in new])


def store_more(session: Session, job: Job, cost: Price, *, number: int, first_run: int, queue: str) -> None:
    """Insert the shards of further runs of a job, from a number of a shard and an index of a run on."""
    session.execute(_INSERT, _values(job, cost, number=number, first_run=first_run, queue=queue))


def _values(job: Job, cost: Price, *, number: int = 0, first_run: int = 0, queue: str | None = None) -> dict[str, Any]:
    portion = (number // PORTION).bit_length()
    begin = {"at_number": number, "at_portion": portion, "at_end": PORTION << portion, "at_run": first_run}
    size = {"num_shards": cost.num_shards, "size": cost.shard_size, "num_runs": cost.runs_total}
    return {
        **begin,
        **size,
        "of_job": job.key,
        "in_queue": queue or cost.queue,
        "of_owner": job.owner,
        "of_kinds": offered_kinds(job.spec),
    }


def _insert() -> Insert:
    """Let the database count from the first number of a shard on."""
    begin, size = _integer("at_number"), _integer("size")
    start = [begin.label("number"), _integer("at_portion").label("portion"), _integer("at_end").label("end")]
    counted = select(*start).cte("counted", recursive=True)
    number, portion, end = counted.c
    is_next = number + 1 == end
    following = select(number + 1, case((is_next, portion + 1), else_=portion), case((is_next, end * 2), else_=end))
    counted = counted.union_all(following.where(number + 1 < begin + _integer("num_shards")))
    behind = (counted.c.number - begin) * size
    rest = _integer("num_runs") - behind
    values = {
        "job_key": bindparam("of_job", type_=Shard.job_key.type),
        "number": counted.c.number,
        "first_run": _integer("at_run") + behind,
        "num_runs": case((rest < size, rest), else_=size),
        "queue": bindparam("in_queue", type_=Shard.queue.type),
        "owner": bindparam("of_owner", type_=Shard.owner.type),
        "portion": counted.c.portion,
        "kinds": bindparam("of_kinds", type_=Shard.kinds.type),
    }
    return insert(Shard.metadata.tables["shards"]).from_select(list(values), select(*values.values()))


def _integer(name: str) -> BindParameter[int]:
    return bindparam(name, type_=Integer)


# Built once: building it takes longer than running it for a job of few shards.
_INSERT = _insert()

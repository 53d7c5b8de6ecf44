"""Division of a new job into shards, stored by one statement however many there are. It does not commit."""

from sqlalchemy import Insert, Integer, bindparam, case, insert, literal, select
from sqlalchemy.orm import Session

from service.database.tables import Job, Shard
from service.spec.price import Price

# Shards of the first portion of a job; the next one has as many, and each further one twice as many as that before it.
PORTION = 8


def store_shards(session: Session, job: Job, cost: Price) -> None:
    """Insert the shards of a job."""
    size = {"num_shards": cost.num_shards, "size": cost.shard_size, "num_runs": cost.runs_total}
    session.execute(_INSERT, {**size, "of_job": job.key, "in_queue": cost.queue, "of_owner": job.owner})


def _insert() -> Insert:
    """Let the database count from 0 to the number of shards."""
    start = [literal(value, Integer).label(name) for name, value in (("number", 0), ("portion", 0), ("end", PORTION))]
    counted = select(*start).cte("counted", recursive=True)
    number, portion, end = counted.c
    is_next = number + 1 == end
    following = select(number + 1, case((is_next, portion + 1), else_=portion), case((is_next, end * 2), else_=end))
    counted = counted.union_all(following.where(number + 1 < bindparam("num_shards", type_=Integer)))
    size = bindparam("size", type_=Integer)
    first_run = counted.c.number * size
    rest = bindparam("num_runs", type_=Integer) - first_run
    values = {
        "job_key": bindparam("of_job", type_=Shard.job_key.type),
        "number": counted.c.number,
        "first_run": first_run,
        "num_runs": case((rest < size, rest), else_=size),
        "queue": bindparam("in_queue", type_=Shard.queue.type),
        "owner": bindparam("of_owner", type_=Shard.owner.type),
        "portion": counted.c.portion,
    }
    return insert(Shard.metadata.tables["shards"]).from_select(list(values), select(*values.values()))


# Built once: building it takes longer than running it for a job of few shards.
_INSERT = _insert()

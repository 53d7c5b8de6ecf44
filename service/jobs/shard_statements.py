"""Statements of the transactions in which workers claim, record and end shards, as functions of bound parameters.

They are built once: building one takes up to seven times as long as running it, and on SQLite all other writers wait
meanwhile. The clock is part of a statement, so there is one for each number of seconds.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Update, bindparam, delete, select, update

from service.database.statements import seconds_from_now
from service.database.states import JOB_ENDED, RUN_ENDED, SHARD_OPEN, JobStatus, ShardStatus
from service.database.tables import Checkpoint, Job, Run, Shard

# Statements kept for different numbers of seconds.
_NUM_KEPT = 64

# Tables instead of classes: the mapper takes half of the time of a statement.
_JOBS, _SHARDS, _RUNS, _CHECKPOINTS = (one.metadata.tables[one.__tablename__] for one in (Job, Shard, Run, Checkpoint))
_JOB, _SHARD, _RUN, _CHECKPOINT = _JOBS.c, _SHARDS.c, _RUNS.c, _CHECKPOINTS.c

_OF_JOB = bindparam("of_job", type_=_SHARD.job_key.type)
_AT_NUMBER = bindparam("at_number", type_=_SHARD.number.type)
_IS_JOB = _JOB.key == _OF_JOB
_IS_SHARD = _SHARD.job_key == _OF_JOB, _SHARD.number == _AT_NUMBER
_HELD = *_IS_SHARD, _SHARD.attempt == bindparam("of_attempt", type_=_SHARD.attempt.type)
_IS_CHECKPOINT = _CHECKPOINT.job_key == _OF_JOB, _CHECKPOINT.number == _AT_NUMBER


def _new(columns: Any, *names: str) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}", type_=columns[name].type) for name in names}


_CLAIMED = select(_JOB.id, _JOB.spec, _JOB.status, _JOB.deadline_at, _JOB.traceparent, _JOB.owner, _JOB.decision)
CLAIMED_JOB: dict[bool, Select[Any]] = {
    waits: _CLAIMED.where(_IS_JOB).with_for_update(skip_locked=not waits) for waits in (True, False)
}
LOCKED_JOB = select(_JOB.key).where(_IS_JOB).with_for_update()
WHOLE_JOB = select(Job).where(Job.key == _OF_JOB).execution_options(populate_existing=True)
END_JOB = (
    update(_JOBS)
    .where(_IS_JOB, _JOB.status.not_in(JOB_ENDED))
    .values(**_new(_JOB, "status"), finished_at=seconds_from_now())
)
PROGRESS = select(_SHARD.epochs_done, _SHARD.num_bytes).where(*_HELD)
STATUSES = select(_SHARD.status).where(_SHARD.job_key == _OF_JOB).distinct()
END_SHARD = (
    update(_SHARDS)
    .where(*_HELD, _SHARD.status == ShardStatus.RUNNING)
    .values(**_new(_SHARD, "status"), lease_until=None, runs_ended=_SHARD.num_runs)
)
END_RUNS = (
    update(_RUNS)
    .where(
        _RUN.job_key == _OF_JOB,
        _RUN.index >= bindparam("from_run", type_=_RUN.index.type),
        _RUN.index < bindparam("to_run", type_=_RUN.index.type),
        _RUN.status.not_in(RUN_ENDED),
    )
    .values(**_new(_RUN, "status"))
)
CHECKPOINT = select(_CHECKPOINT.data).where(*_IS_CHECKPOINT)
DROP_CHECKPOINT = delete(_CHECKPOINTS).where(*_IS_CHECKPOINT)


@lru_cache(_NUM_KEPT)
def take(lease_seconds: float) -> Update:
    """Take a queued shard, with a new attempt and a lease."""
    until = seconds_from_now(lease_seconds)
    taken = update(_SHARDS).where(*_IS_SHARD, _SHARD.status == ShardStatus.QUEUED)
    taken = taken.values(status=ShardStatus.RUNNING, attempt=_SHARD.attempt + 1, lease_until=until)
    found = _SHARD.attempt, _SHARD.lost, _SHARD.first_run, _SHARD.num_runs, _SHARD.queue, _SHARD.kinds
    return taken.returning(*found)


@lru_cache(_NUM_KEPT)
def start(limit_seconds: float | None) -> Update:
    """Let a queued job run, with a receipt and, if there is a limit, a deadline."""
    deadline = None if limit_seconds is None else seconds_from_now(limit_seconds)
    started = {"started_at": seconds_from_now(), "deadline_at": deadline, **_new(_JOB, "receipt")}
    return update(_JOBS).where(_IS_JOB).values(status=JobStatus.RUNNING, **started)


@lru_cache(_NUM_KEPT)
def record(lease_seconds: float) -> Update:
    """Record the progress of a held shard, and renew its lease. Rows and bytes are added."""
    added = _new(_SHARD, "num_rows", "num_bytes")
    return (
        update(_SHARDS)
        .where(*_HELD, _SHARD.status.in_(SHARD_OPEN))
        .values(
            status=ShardStatus.RUNNING,
            lost=0,
            lease_until=seconds_from_now(lease_seconds),
            **_new(_SHARD, "epoch", "epochs_done", "runs_ended", "runs_diverged"),
            **{name: _SHARD[name] + number for name, number in added.items()},
        )
    )

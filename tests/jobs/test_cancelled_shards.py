"""A cancelled job ends its shards, whatever their workers do."""

from service.database.connection import Database
from service.database.states import ShardStatus, Stop
from service.database.tables import Job
from service.jobs import attempts, lifecycle, shards
from service.jobs.owners import ANYBODY
from tests.jobs.claimed import chunk, claim, record
from tests.queued import create, expire, statuses


def test_a_cancelled_job_tells_its_worker_at_the_next_chunk(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    record(database, claimed, chunk(0))
    with database.transaction() as session:
        assert attempts.look(session, claimed) is None
        assert lifecycle.cancel(session, claimed.job_id, ANYBODY).status == "cancelling"
    record(database, claimed, chunk(1))
    with database.transaction() as session:
        assert attempts.look(session, claimed) is Stop.CANCELLED
        shards.end(session, claimed, ShardStatus.CANCELLED)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "cancelled"


def test_a_cancelled_job_ends_with_the_worker_that_was_lost_on_it(database: Database) -> None:
    key = create(database)
    claimed = claim(database, key)
    assert claimed is not None
    with database.transaction() as session:
        lifecycle.cancel(session, claimed.job_id, ANYBODY)
    expire(database)
    with database.transaction() as session:
        shards.take_back(session, max_attempts=3)
    with database.snapshot() as session:
        assert session.get_one(Job, key).status == "cancelled"
    assert statuses(database, key) == ["cancelled"] * 3


def test_a_job_cancelled_while_queued_never_runs(database: Database) -> None:
    key = create(database)
    with database.transaction() as session:
        job = session.get_one(Job, key)
        assert lifecycle.cancel(session, job.id, ANYBODY).status == "cancelled"
    assert claim(database, key) is None

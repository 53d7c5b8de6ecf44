"""What the jobs of a key store is counted with every write and deletion, and limited."""

import pytest
from sqlalchemy import func, select

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.errors import QuotaReached
from service.jobs import lifecycle, quotas
from service.jobs.owners import ANYBODY, Caller
from service.jobs.quotas import ROW_BYTES, RUN_BYTES, VALUE_BYTES, Size
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.queued import remove_rows
from tests.stored import SPEC, Stored
from worker.runner import train_shard

JOB = JobSpec.model_validate({**SPEC, "epochs": 9})
ROWS = 60


def create(database: Database, settings: Settings, owner: str = "", spec: JobSpec = JOB) -> str:
    with database.transaction() as session:
        return lifecycle.create(session, spec, price(spec), owner=owner, settings=settings)[0].id


def stored(database: Database, owner: str = "") -> Size:
    with database.snapshot() as session:
        return quotas.stored(session, owner)


def test_every_chunk_counts_and_removed_rows_do_not(database: Database) -> None:
    job = Stored(database)
    job.store(0, 3)
    # Two runs of three rows, with one value each.
    assert stored(database) == Size(6, 6 * (ROW_BYTES + VALUE_BYTES) + 2 * RUN_BYTES)
    job.store(0, 7)
    for shard in (1, 2):
        job.store(shard, 10)
    assert stored(database) == Size(ROWS, ROWS * (ROW_BYTES + VALUE_BYTES) + 6 * RUN_BYTES)
    for shard in range(3):
        job.end(shard)
    with database.transaction() as session:
        lifecycle.remove(session, job.id, ANYBODY)
    assert stored(database).rows == ROWS
    remove_rows(database)
    assert stored(database) == Size()


def test_a_trained_job_stores_no_more_than_its_price_says(database: Database) -> None:
    spec = JobSpec.model_validate(
        {"problem": {"kind": "playground"}, "optimizers": [{"kind": "adam", "lr": 0.01}],
         "epochs": 3}
    )  # fmt: skip
    with database.transaction() as session:
        key = lifecycle.create(session, spec, price(spec), owner="ann")[0].key
    train_shard(database, Settings(), key, 0)
    counted, most = stored(database, "ann"), quotas.most(spec, price(spec))
    with database.snapshot() as session:
        assert counted.rows == most.rows == session.execute(select(func.count()).select_from(Metric)).scalar_one()
    assert 0.7 * most.bytes < counted.bytes <= most.bytes
    assert stored(database) == Size()


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("limit", ["max_stored_rows", "max_stored_bytes"])
def test_ended_and_open_jobs_count_until_they_are_deleted(database: Database, limit: str) -> None:
    size = quotas.most(JOB, price(JOB))
    one = size.rows if limit == "max_stored_rows" else size.bytes
    settings = Settings(**{limit: 2 * one})
    ended = Stored(database)
    ended.finish()
    running = Stored(database)
    running.store(0, 10)
    # What the running job has stored already counts once: together they are below two jobs.
    with pytest.raises(QuotaReached, match=r"delete jobs .*, set ttl_seconds"):
        create(database, settings)
    assert create(database, settings, owner="another")
    with database.transaction() as session:
        lifecycle.remove(session, ended.id, ANYBODY)
    with pytest.raises(QuotaReached, match="until they are removed"):
        create(database, settings)
    remove_rows(database)
    waiting = create(database, settings)
    with pytest.raises(QuotaReached, match="open jobs may add"):
        create(database, settings)
    with database.transaction() as session:
        lifecycle.cancel(session, waiting, Caller("", is_admin=False))
    assert create(database, settings)


def test_an_idempotent_repeat_is_answered_above_the_quota(database: Database) -> None:
    settings = Settings(max_stored_rows=ROWS)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, JOB, price(JOB), idempotency_key="k", settings=settings)
    with database.transaction() as session:
        again, is_new = lifecycle.create(session, JOB, price(JOB), idempotency_key="k", settings=settings)
    assert (again.key, is_new) == (job.key, False)

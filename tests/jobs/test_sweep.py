"""A sweep without work reads only; each kind of work alone makes it write."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from service.database.accounts import BrowserSession, Dataset
from service.database.connection import Database
from service.database.datasets.stored import NOBODY
from service.database.offers import OfferingWorker
from service.database.statements import seconds_from_now
from service.database.states import ShardStatus
from service.database.tables import Job, Shard
from service.jobs import lifecycle, shards
from service.jobs.dispatch import Dispatcher, Sweep
from service.jobs.owners import ANYBODY
from service.settings import Settings
from tests.queued import create

PAST = seconds_from_now(-100)


@pytest.fixture
def kinds() -> list[str]:
    return []


@pytest.fixture
def watched(database: Database, kinds: list[str]) -> Iterator[Database]:
    url = database.url.render_as_string(hide_password=False)
    with closing(Database(url, timed=lambda kind, seconds: kinds.append(kind))) as opened:
        yield opened


def sweep(watched: Database, broker_url: str) -> None:
    settings = Settings(broker_url=broker_url)
    dispatcher = Dispatcher(settings)
    Sweep(watched, dispatcher, settings).once()
    dispatcher.close()


def claim(database: Database) -> int:
    key = create(database)
    with database.transaction() as session:
        shards.claim(session, key, 0, lease_seconds=60, receipt={})
    return key


def test_a_sweep_without_work_does_not_write(
    database: Database, watched: Database, kinds: list[str], broker_url: str
) -> None:
    claim(database)
    create(database)
    sweep(watched, broker_url)
    assert set(kinds) == {"read"}


def lose_a_worker(session: Session) -> None:
    session.execute(update(Shard).where(Shard.status == ShardStatus.RUNNING).values(lease_until=PAST))


def pass_a_time_limit(session: Session) -> None:
    session.execute(update(Job).values(deadline_at=PAST))


def end_a_life(session: Session) -> None:
    job = session.execute(select(Job).order_by(Job.key.desc()).limit(1)).scalar_one()
    lifecycle.cancel(session, job.id, ANYBODY)
    session.execute(update(Job).where(Job.key == job.key).values(expires_at=PAST))


def end_a_session(session: Session) -> None:
    session.add(BrowserSession(id="a", owner="", sha256="b", created_at=PAST, expires_at=PAST))


def end_a_dataset(session: Session) -> None:
    session.add(
        Dataset(
            id="a", owner="b", name="c", media_type="text/csv", digest="d", num_rows=1, num_bytes=1, columns={},
            created_at=PAST, expires_at=PAST,
        )
    )  # fmt: skip


def lose_an_offer(session: Session) -> None:
    session.add(OfferingWorker(id="a", seen_at=PAST, kinds={}))


def left(session: Session) -> list[int]:
    """Count what a sweep should have changed."""
    counted = [
        select(func.count()).select_from(Shard).where(Shard.lease_until < seconds_from_now()),
        select(func.count()).select_from(Job).where(Job.expires_at < seconds_from_now()),
        select(func.count()).select_from(BrowserSession),
        select(func.count()).select_from(OfferingWorker),
        select(func.count()).select_from(Dataset).where(Dataset.owner != NOBODY),
    ]
    return [session.execute(query).scalar_one() for query in counted]


@pytest.mark.parametrize(
    "begin", [lose_a_worker, pass_a_time_limit, end_a_life, end_a_session, end_a_dataset, lose_an_offer]
)
def test_each_kind_of_work_alone_is_done(
    begin: Callable[[Session], None], database: Database, watched: Database, kinds: list[str], broker_url: str
) -> None:
    claim(database)
    create(database)
    with database.transaction() as session:
        begin(session)
    sweep(watched, broker_url)
    assert "write" in kinds
    with database.snapshot() as session:
        assert left(session) == [0, 0, 0, 0, 0]

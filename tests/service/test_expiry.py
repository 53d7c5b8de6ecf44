"""Jobs whose time to live is over are deleted, by as many processes as sweep."""

from collections.abc import Callable

from sqlalchemy import text, update

from service import jobs
from service.database import Database, seconds_from_now
from service.doors.keys import ANYBODY
from service.models import Job
from tests.worker.rows import count, create


def test_two_processes_that_sweep_at_once_delete_different_jobs(new_database: Callable[[str], str]) -> None:
    # SQLite has one writer at a time.
    database = Database(new_database("postgresql"))
    for _ in range(30):
        key = create(database)
        with database.transaction() as session:
            jobs.cancel(session, session.get_one(Job, key).id, ANYBODY)
    with database.transaction() as session:
        session.execute(update(Job).values(expires_at=seconds_from_now(-1)))
    with database.transaction() as one, database.transaction() as other:
        assert jobs.remove_expired(one) == 20
        other.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert jobs.remove_expired(other) == 10
    assert count(database, Job) == 0
    database.close()

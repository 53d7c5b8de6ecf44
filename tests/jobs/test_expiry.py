"""Jobs whose time to live is over are deleted, by as many processes as sweep."""

from collections.abc import Callable

import pytest
from sqlalchemy import text, update

from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.database.tables import Job
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY
from tests.queued import count, create


@pytest.mark.slow
def test_two_processes_that_sweep_at_once_delete_different_jobs(new_database: Callable[[str], str]) -> None:
    # SQLite has one writer at a time.
    database = Database(new_database("postgresql"))
    for _ in range(30):
        key = create(database)
        with database.transaction() as session:
            lifecycle.cancel(session, session.get_one(Job, key).id, ANYBODY)
    with database.transaction() as session:
        session.execute(update(Job).values(expires_at=seconds_from_now(-1)))
    with database.transaction() as one, database.transaction() as other:
        assert lifecycle.remove_expired(one) == 20
        other.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert lifecycle.remove_expired(other) == 10
    assert count(database, Job) == 0
    database.close()

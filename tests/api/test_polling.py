"""Polls are answered with the state at their arrival; answers of unchanged jobs are cached."""

import asyncio
from collections.abc import Callable
from contextlib import closing

import pytest

from service.api.polling import Polls
from service.database.connection import Database
from service.errors import NotFound
from service.jobs import lifecycle
from service.jobs.owners import ANYBODY, Caller
from tests.stored import Stored


def test_an_answer_is_cached_until_its_job_changes(database: Database) -> None:
    stored = Stored(database)
    polls = Polls(database)

    async def poll() -> None:
        first = await polls.get(stored.id, ANYBODY)
        assert await polls.get(stored.id, ANYBODY) is first
        seen = [first]
        for change in (lambda: stored.store(0, 3), lambda: stored.store(1, 2), stored.finish):
            change()
            seen.append(await polls.get(stored.id, ANYBODY))
            assert await polls.get(stored.id, ANYBODY) is seen[-1]
        assert len({polled.tag for polled in seen}) == len(seen)
        assert b'"status":"completed"' in seen[-1].body
        with pytest.raises(NotFound):
            await polls.get(stored.id, Caller("another", is_admin=False))
        with database.transaction() as session:
            lifecycle.remove(session, stored.id, ANYBODY)
        for missing in (stored.id, "no id", "\x00"):
            with pytest.raises(NotFound):
                await polls.get(missing, ANYBODY)

    asyncio.run(poll())


def test_nothing_is_read_while_nothing_is_committed(new_database: Callable[[str], str]) -> None:
    reads: list[str] = []
    with (
        closing(Database(new_database("sqlite"))) as others,
        closing(Database(str(others.url), timed=lambda kind, _: reads.append(kind))) as database,
    ):
        stored, polls = Stored(others), Polls(database)

        async def poll() -> None:
            await polls.get(stored.id, ANYBODY)
            num_reads = len(reads)
            for _ in range(3):
                await polls.get(stored.id, ANYBODY)
            assert len(reads) == num_reads
            stored.store(0, 3)
            await polls.get(stored.id, ANYBODY)
            assert len(reads) > num_reads
            # A commit of this process counts too.
            Stored(database)
            num_reads = len(reads)
            await polls.get(stored.id, ANYBODY)
            assert len(reads) > num_reads

        asyncio.run(poll())
        # The connection that reads the version holds no snapshot.
        others.shorten_journal()
        assert others.file is not None
        assert not others.file.with_name(others.file.name + "-wal").stat().st_size


def test_the_version_is_unknown_where_the_database_does_not_give_it(database: Database) -> None:
    assert (database.version() is None) == (not database.dialect.is_file)

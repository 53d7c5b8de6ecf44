"""Polls are answered with the state at their arrival; answers of unchanged jobs are cached."""

import asyncio

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

"""Many readers of one job share polls, and readers at the same position share reads."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from service.api.events import news
from service.api.events.hub import POLL_SECONDS, Follower, Hub, Watched
from service.api.events.news import Interest
from service.api.events.stream_position import StreamPosition
from service.database.connection import Database
from service.histories.reading import select_fields
from service.spec.runs import Runs
from tests.stored import Stored

NUM_READERS = 100
DEADLINE_SECONDS = 30.0


async def read_to_the_end(hub: Hub, watched: Watched, interest: Interest) -> StreamPosition:
    """Read all rows as an event stream does."""
    place, seen = StreamPosition(), None
    async with hub.follow(watched) as follower:
        while not follower.is_over:
            seen = await follower.changes(seen, DEADLINE_SECONDS)
            while news := await follower.news(place, interest):
                place = news.position
            if seen is not None and seen.has_ended:
                break
    return place


@pytest.mark.slow(after=1)
def test_a_hundred_readers_share_the_reads_of_one(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = Stored(database)
    watched = Watched(stored.job, Runs(stored.spec))
    interest = Interest(((0, 6),), select_fields(stored.spec, "loss"))
    reads: Counter[StreamPosition] = Counter()
    looks = 0
    next_news, look = news.next_news, news.read_state

    def counted_news(*args: Any) -> Any:
        found = next_news(*args)
        if found is not None:
            reads[args[3]] += 1
        return found

    def counted_look(*args: Any) -> Any:
        nonlocal looks
        looks += 1
        return look(*args)

    monkeypatch.setattr(news, "next_news", counted_news)
    monkeypatch.setattr(news, "read_state", counted_look)

    async def watch() -> tuple[list[StreamPosition], float]:
        hub = Hub(database, 10.0)
        loop = asyncio.get_running_loop()
        started = loop.time()
        readers = [asyncio.create_task(read_to_the_end(hub, watched, interest)) for _ in range(NUM_READERS)]
        for shard in (1, 0, 2):
            await asyncio.to_thread(stored.store, shard, 4)
            await asyncio.sleep(2 * POLL_SECONDS)
        await asyncio.to_thread(stored.finish)
        async with asyncio.timeout(DEADLINE_SECONDS):
            places = await asyncio.gather(*readers)
        assert not hub._followers, "the last reader ends the follower"
        return places, loop.time() - started

    places, seconds = asyncio.run(watch())
    assert places == [StreamPosition(behind=3)] * NUM_READERS
    assert reads.total() == len(reads), "rows were read more than once"
    # At first a follower polls up to 40 times more: ten times at intervals of 0.015 s, then at a tenth of the elapsed
    # time, which are 28 polls until the interval is POLL_SECONDS.
    assert looks <= 2 + 40 + seconds / POLL_SECONDS


@pytest.mark.slow
def test_the_cache_of_a_follower_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.api.events.hub.CACHE_BYTES", 2_000)
    monkeypatch.setattr(news, "EVENT_ROWS", 6)
    stored = Stored(database, epochs=100)
    stored.finish()
    watched = Watched(stored.job, Runs(stored.spec))
    interest = Interest(((0, 6),), select_fields(stored.spec, "loss"))
    kept: list[int] = []

    async def watch() -> None:
        hub = Hub(database, 10.0)
        async with hub.follow(watched) as follower:
            place = StreamPosition()
            await follower.changes(None, DEADLINE_SECONDS)
            while news := await follower.news(place, interest):
                place = news.position
                kept.append(sum(len(one.data or b"") for one in follower._cache.values()))

    asyncio.run(watch())
    assert len(kept) > 30
    assert max(kept) <= 2_000


def test_closing_the_hub_ends_all_streams(database: Database) -> None:
    stored = Stored(database)
    watched = Watched(stored.job, Runs(stored.spec))

    async def watch() -> None:
        hub = Hub(database, 10.0)

        async def wait(follower: Follower) -> None:
            seen = None
            while not follower.is_over:
                seen = await follower.changes(seen, DEADLINE_SECONDS)

        async with hub.follow(watched) as follower, asyncio.timeout(5):
            waiting = asyncio.create_task(wait(follower))
            await asyncio.sleep(0)
            hub.close()
            await waiting
        async with hub.follow(watched) as late:
            assert late.is_over

    asyncio.run(watch())

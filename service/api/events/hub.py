"""Shared reading for event streams: one follower per job and process reads for all of the job's readers.

A follower polls the job's rows a few times per second while the job has readers, more often at first. New rows are read
once for all readers with the same position and selection, one read at a time, and are cached as the bytes to send.
Each reader fetches its next piece when it has sent the last one. A slow reader therefore holds one piece in memory, and
finds the rest in the database.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError

from service.api.events import news
from service.api.events.news import Interest, News, State
from service.api.events.stream_position import StreamPosition
from service.database.connection import Database
from service.database.states import JOB_ENDED
from service.database.tables import Job
from service.spec.runs import Runs

# Longest poll interval. Workers store chunks twice a second.
POLL_SECONDS = 0.25
# Shortest poll interval: small jobs end within 0.1 s. The interval is a tenth of the time since the first poll, so that
# it reaches POLL_SECONDS after 2.5 s.
FIRST_POLL_SECONDS = 0.015
# The pause after a poll is at least this many times the duration of the poll, which grows with the number of shards.
PAUSE_FACTOR = 10
# Bytes of events that a follower caches.
CACHE_BYTES = 8 << 20
# Threads that read for followers, besides those that answer requests.
_THREADS = 4

log = logging.getLogger("ravine.events")


@dataclass(frozen=True)
class Watched:
    """A job with at least one reader."""

    job: Job
    runs: Runs


class Follower:
    """Polls one job while it has readers. All of it runs on the event loop."""

    def __init__(self, database: Database, watched: Watched, limiter: CapacityLimiter) -> None:
        self._database, self._watched, self._limiter = database, watched, limiter
        self._cache: OrderedDict[tuple[Interest, StreamPosition], News] = OrderedDict()
        self._cached_bytes = 0
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._nothing: set[tuple[Interest, StreamPosition]] = set()
        # All shards before this one have ended.
        self._ended = 0
        self.num_readers = 0
        self.state: State | None = None
        self.is_over = False
        """Whether no event will follow: the job was deleted, or the process is stopping."""

    def start(self) -> None:
        """Start to poll."""
        self._task = asyncio.create_task(self._follow(), name=f"events of {self._watched.job.id}")

    def is_outdated(self, job: Job) -> bool:
        """Whether this follower has seen the end of a job that was continued since."""
        return self.state is not None and self.state.has_ended and job.status not in JOB_ENDED

    def stop(self) -> None:
        """Stop to poll, and release all readers."""
        self.is_over = True
        if self._task is not None:
            self._task.cancel()
        self._notify()

    async def changes(self, seen: State | None, seconds: float) -> State | None:
        """Wait until the state differs from ``seen``, for at most ``seconds``; give the current state."""
        if self.state is seen and not self.is_over:
            changed = self._changed
            try:
                async with asyncio.timeout(seconds):
                    await changed.wait()
            except TimeoutError:
                pass
        return self.state

    async def news(self, position: StreamPosition, interest: Interest) -> News | None:
        """Give the rows after a position, from the cache if another reader had them read.

        Raises:
            NotFound: The job has been deleted.
        """
        key = (interest, position)
        async with self._reading:
            if key in self._nothing:
                return None
            if (cached := self._cache.get(key)) is not None:
                self._cache.move_to_end(key)
                return cached
            watched = self._watched
            found = await to_thread.run_sync(
                news.next_news, self._database, watched.job, watched.runs, position, interest, limiter=self._limiter
            )
            if found is None:
                self._nothing.add(key)
            else:
                self._store(key, found)
            return found

    async def looks(self, first: int, end: int) -> list[bytes]:
        """Read the decisions of some looks."""
        if first >= end:
            return []
        job_key = self._watched.job.key
        return await to_thread.run_sync(news.read_looks, self._database, job_key, first, end, limiter=self._limiter)

    def _store(self, key: tuple[Interest, StreamPosition], found: News) -> None:
        self._cache[key] = found
        self._cached_bytes += len(found.data or b"")
        while self._cached_bytes > CACHE_BYTES and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._cached_bytes -= len(oldest.data or b"")

    async def _follow(self) -> None:
        began = time.monotonic()
        while not self.is_over:
            started = time.monotonic()
            try:
                state = await to_thread.run_sync(self._poll, limiter=self._limiter)
            except SQLAlchemyError as error:
                job_id = self._watched.job.id
                log.warning("database unavailable; events of job %s are delayed until it answers: %s", job_id, error)
            else:
                self.is_over = state is None
                if state != self.state or self.is_over:
                    self.state = state
                    self._nothing.clear()
                    self._notify()
                if state is not None and state.has_ended:
                    return
            now = time.monotonic()
            interval = min(POLL_SECONDS, max(FIRST_POLL_SECONDS, (now - began) / 10))
            # In the first second the factor grows from 3 to PAUSE_FACTOR.
            factor = min(PAUSE_FACTOR, 3 + 7 * (now - began))
            await asyncio.sleep(max(interval, factor * (now - started)))

    def _poll(self) -> State | None:
        with self._database.snapshot() as session:
            state = news.read_state(session, self._watched.job.key, self._ended)
        if state is not None:
            self._ended += next((at for at, one in enumerate(state.shards) if not one.has_ended), len(state.shards))
        return state

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Hub:
    """The followers of this process."""

    def __init__(self, database: Database, ping_seconds: float) -> None:
        self.ping_seconds = ping_seconds
        """Longest silence of a stream. Proxies and browsers close silent connections, often after 30 s."""
        self._database = database
        self._followers: dict[int, Follower] = {}
        self._limiter = CapacityLimiter(_THREADS)
        self._is_closed = False

    @asynccontextmanager
    async def follow(self, watched: Watched) -> AsyncIterator[Follower]:
        """Give the follower of a job; it stops when its last reader leaves."""
        key = watched.job.key
        follower = self._followers.get(key)
        if follower is None or follower.is_over or follower.is_outdated(watched.job):
            follower = self._followers[key] = Follower(self._database, watched, self._limiter)
            if self._is_closed:
                follower.is_over = True
            else:
                follower.start()
        follower.num_readers += 1
        try:
            yield follower
        finally:
            follower.num_readers -= 1
            if follower.num_readers == 0:
                follower.stop()
                if self._followers.get(key) is follower:
                    del self._followers[key]

    def close(self) -> None:
        """End all streams, and those that start later."""
        self._is_closed = True
        for follower in list(self._followers.values()):
            follower.stop()

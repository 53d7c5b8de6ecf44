"""How do many watch one job at the price of one? A follower per job and process reads for all of them.

It looks at the job's rows a few times a second while anybody listens, at first more often. New rows are read once for
all who want the same and stand at the same place, one read at a time, and are kept for a while as the bytes that are
sent. Nobody is waited for: a reader asks for its next piece when it has sent the last one, so a slow one holds one
piece, and finds the rest in the database.
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
from service.api.events.cursor import Place
from service.api.events.news import Interest, News, State
from service.database.connection import Database
from service.database.tables import Job
from service.spec.runs import Runs

# Workers store twice a second.
LOOK_SECONDS = 0.25
# Small jobs are over in a tenth of a second, and somebody waits for their picture: at first the looks are this close,
# and then a tenth of the time that has been watched apart, which is LOOK_SECONDS from the third second on.
FIRST_LOOK_SECONDS = 0.015
# A look at a job of very many shards takes long: the next one waits this many times as long.
PATIENCE = 10
# Bytes of written events that a job's follower keeps for those who want the same.
KEPT_BYTES = 8 << 20
# Threads that read for followers, besides those that answer requests.
_THREADS = 4

log = logging.getLogger("ravine.events")


@dataclass(frozen=True)
class Watched:
    """A job that somebody watches."""

    job: Job
    runs: Runs


class Follower:
    """Follows one job while anybody listens; all of it runs on the event loop."""

    def __init__(self, database: Database, watched: Watched, limiter: CapacityLimiter) -> None:
        self._database, self._watched, self._limiter = database, watched, limiter
        self._kept: OrderedDict[tuple[Interest, Place], News] = OrderedDict()
        self._kept_bytes = 0
        self._reading = asyncio.Lock()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._nothing: set[tuple[Interest, Place]] = set()
        # Shards before this one have ended, which none takes back.
        self._ended = 0
        self.num_readers = 0
        self.state: State | None = None
        self.is_over = False
        """Whether there is nothing to wait for: the job is deleted, or this process stops."""

    def start(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._follow(), name=f"events of {self._watched.job.id}")

    def stop(self) -> None:
        """Look no more, and let all readers go."""
        self.is_over = True
        if self._task is not None:
            self._task.cancel()
        self._tell()

    async def changes(self, seen: State | None, seconds: float) -> State | None:
        """Wait until the state is another one than was seen, at most so long; gives the state there is then."""
        if self.state is seen and not self.is_over:
            changed = self._changed
            try:
                async with asyncio.timeout(seconds):
                    await changed.wait()
            except TimeoutError:
                pass
        return self.state

    async def news(self, place: Place, interest: Interest) -> News | None:
        """Read the rows that come after a place, or give what was read for somebody else.

        Raises:
            NotFound: The job has been deleted.
        """
        asked = (interest, place)
        async with self._reading:
            if asked in self._nothing:
                return None
            if (known := self._kept.get(asked)) is not None:
                self._kept.move_to_end(asked)
                return known
            watched = self._watched
            found = await to_thread.run_sync(
                news.next_news, self._database, watched.job, watched.runs, place, interest, limiter=self._limiter
            )
            if found is None:
                self._nothing.add(asked)
            else:
                self._keep(asked, found)
            return found

    def _keep(self, asked: tuple[Interest, Place], found: News) -> None:
        self._kept[asked] = found
        self._kept_bytes += len(found.data or b"")
        while self._kept_bytes > KEPT_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._kept_bytes -= len(oldest.data or b"")

    async def _follow(self) -> None:
        began = time.monotonic()
        while not self.is_over:
            started = time.monotonic()
            try:
                state = await to_thread.run_sync(self._look, limiter=self._limiter)
            except SQLAlchemyError as error:
                log.warning("the database is away, events wait for it: %s", error)
            else:
                self.is_over = state is None
                if state != self.state or self.is_over:
                    self.state = state
                    self._nothing.clear()
                    self._tell()
                if state is not None and state.has_ended:
                    return
            now = time.monotonic()
            pause = min(LOOK_SECONDS, max(FIRST_LOOK_SECONDS, (now - began) / 10))
            # It is the less patient the younger it is, in its first second.
            patience = min(PATIENCE, 3 + 7 * (now - began))
            await asyncio.sleep(max(pause, patience * (now - started)))

    def _look(self) -> State | None:
        with self._database.snapshot() as session:
            state = news.look(session, self._watched.job.key, self._ended)
        if state is not None:
            self._ended += next((at for at, one in enumerate(state.shards) if not one.has_ended), len(state.shards))
        return state

    def _tell(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


class Hub:
    """The followers of this process."""

    def __init__(self, database: Database, ping_seconds: float) -> None:
        self.ping_seconds = ping_seconds
        """How long a stream may be silent: proxies and browsers give up on it after some time, often half a minute."""
        self._database = database
        self._followers: dict[int, Follower] = {}
        self._limiter = CapacityLimiter(_THREADS)
        self._is_closed = False

    @asynccontextmanager
    async def follow(self, watched: Watched) -> AsyncIterator[Follower]:
        """Listen to a job; the last one who leaves ends it."""
        key = watched.job.key
        follower = self._followers.get(key)
        if follower is None or follower.is_over:
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
        """End all streams, and those that begin from now on."""
        self._is_closed = True
        for follower in list(self._followers.values()):
            follower.stop()

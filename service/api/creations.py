"""Shared writes of new jobs: jobs that are posted during a write are stored together by the next one.

A transaction costs more than the rows of a small job, and writers of SQLite wait for each other. Each job is answered
after the commit of its transaction, or with an error of its own.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool

from service.api.http.json_answers import json_bytes
from service.api.schemas.jobs import job_answer
from service.database.connection import Database
from service.errors import RavineError
from service.jobs import messages
from service.jobs.annotations import tags_of
from service.jobs.creating import Created, Order, create_all
from service.jobs.dispatch import MESSAGES_PER_JOB, Dispatcher
from service.jobs.progress import NO_PROGRESS, progress_of
from service.settings import Settings
from service.spec.offered_kinds import offered_kinds

# Most jobs and most shards of one transaction; a job with more shards has a transaction of its own.
MAX_JOBS, MAX_SHARDS = 64, 1_000


@dataclass(frozen=True)
class Stored:
    """The id and the JSON of a stored job."""

    id: str
    body: bytes


class Creations:
    """The jobs of one process that wait to be stored."""

    def __init__(self, database: Database, dispatcher: Dispatcher, settings: Settings) -> None:
        self._database, self.dispatcher, self._settings = database, dispatcher, settings
        self._waiting: deque[tuple[Order, asyncio.Future[Stored]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def store(self, order: Order) -> Stored:
        """Store a job with the next write, and send its messages.

        Raises:
            RavineError: As in ``create_all``.
            OperationalError: The database cannot be used.
        """
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting.append((order, future))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await future

    async def _write(self) -> None:
        """Write until no job waits."""
        try:
            while self._waiting:
                chosen = self._next()
                orders = [order for order, _ in chosen]
                found: Sequence[Stored | Exception]
                try:
                    found = await run_in_threadpool(self._store_each, orders)
                except Exception as error:
                    found = [error] * len(chosen)
                for (_, future), one in zip(chosen, found, strict=True):
                    if future.done():  # Its client has disconnected.
                        continue
                    if isinstance(one, Exception):
                        future.set_exception(one)
                    else:
                        future.set_result(one)
        finally:
            self._writing = None

    def _next(self) -> list[tuple[Order, asyncio.Future[Stored]]]:
        """Take the jobs of the next write."""
        chosen = [self._waiting.popleft()]
        num_shards = chosen[0][0].cost.num_shards
        while self._waiting and len(chosen) < MAX_JOBS:
            num_shards += self._waiting[0][0].cost.num_shards
            if num_shards > MAX_SHARDS:
                break
            chosen.append(self._waiting.popleft())
        return chosen

    def _store_each(self, orders: Sequence[Order]) -> Sequence[Stored | Exception]:
        """Store jobs together; one after another if one of them makes the database refuse them all."""
        try:
            return self._store(orders)
        except OperationalError:
            raise
        except Exception as error:
            if len(orders) == 1:
                return [error]
        return [one for order in orders for one in self._store_each([order])]

    def _store(self, orders: Sequence[Order]) -> Sequence[Stored | Exception]:
        with self._database.transaction() as session:
            found = create_all(session, orders, self._settings)
            known = [one.job.key for one in found if isinstance(one, Created) and not one.is_new]
            totals = progress_of(session, known) if known else {}
            tags = tags_of(session, known) if known else {}
        new = [
            (one.job, order.cost)
            for one, order in zip(found, orders, strict=True)
            if isinstance(one, Created) and one.is_new
        ]
        answers = [
            one
            if isinstance(one, RavineError)
            else Stored(
                one.job.id,
                json_bytes(job_answer(one.job, totals.get(one.job.key, NO_PROGRESS), tags=tags.get(one.job.key, ()))),
            )
            for one in found
        ]
        needed: Counter[str] = Counter()
        for job, cost in new:
            channel = messages.channel_of(cost.queue, offered_kinds(job.spec))
            needed[channel] += min(cost.num_shards, MESSAGES_PER_JOB)
        for channel, num in needed.items():
            self.dispatcher.send(channel, num)
        return answers

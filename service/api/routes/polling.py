"""How are many polls answered with few reads? Those that arrive while a read is under way share the next one.

A poll is only ever answered by a read that began after it arrived, so what it tells is as new as a read of its own
would be. With one client that is one read a poll; with two hundred that watch fifty jobs, one read tells of all fifty.
The route is a coroutine, because two hundred threads that wait in turn were what took the time.

What is read is what may have changed; the answer is written anew only where it has.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from service.api.routes.answers import tagged
from service.api.schemas.jobs import job_answer
from service.database.connection import Database
from service.database.ids import is_id
from service.database.tables import Job
from service.errors import NotFound
from service.jobs.owners import Caller
from service.jobs.progress import progress_of

# Jobs in one read; what is polled beyond waits for the next.
MAX_JOBS = 100
# Answers that are kept, and the longest of them: 16 MiB at most.
KEPT_JOBS, KEPT_BYTES = 256, 1 << 16
# All that changes in a job's answer. A receipt comes with the start, and never changes.
_STANDING = """
SELECT jobs.id, jobs.status, started_at, finished_at, error_reason, error_detail,
       sum(runs_ended), sum(runs_diverged), sum(epochs_done), sum(num_runs * epoch)
FROM jobs JOIN shards ON shards.job_key = jobs.key WHERE jobs.id IN ({}) GROUP BY jobs.key
"""


@dataclass(frozen=True)
class Polled:
    """A job as it was read, its JSON, and the tag of that."""

    job: Job
    body: bytes
    tag: str


class Polls:
    """The polls of one process that wait for an answer."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, asyncio.Future[Polled | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._kept: dict[str, tuple[tuple[Any, ...], Polled]] = {}

    async def get(self, job_id: str, caller: Caller) -> Polled:
        """Wait for the next read of a job.

        Raises:
            NotFound: The caller has none with this id.
        """
        if not is_id(job_id):
            raise NotFound(f"there is no job {job_id!r}")
        future = self._waiting.get(job_id)
        if future is None:
            future = self._waiting[job_id] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        # One client that hangs up takes nothing from the others that wait for the same job.
        polled = await asyncio.shield(future)
        if polled is None or not (caller.is_admin or polled.job.owner == caller.id):
            raise NotFound(f"there is no job {job_id!r}")
        return polled

    async def _read(self) -> None:
        """Read as long as somebody waits."""
        try:
            while self._waiting:
                chosen = {job_id: self._waiting.pop(job_id) for job_id in list(self._waiting)[:MAX_JOBS]}
                try:
                    found = await run_in_threadpool(self._look, list(chosen))
                except Exception as error:
                    for future in chosen.values():
                        future.set_exception(error)
                        future.exception()  # Whoever waited may have gone; that is no error to be logged.
                    continue
                for job_id, future in chosen.items():
                    future.set_result(found.get(job_id))
        finally:
            self._reading = None

    def _look(self, job_ids: Sequence[str]) -> dict[str, Polled]:
        """Read how jobs stand, and write the answers of those that stand otherwise than the last time."""
        standings = {
            standing[0]: standing
            for standing in self._database.rows(_STANDING.format(", ".join("?" * len(job_ids))), job_ids)
        }
        kept = {job_id: self._kept.get(job_id, (None, None)) for job_id in standings}
        found = {job_id: polled for job_id, (known, polled) in kept.items() if polled and known == standings[job_id]}
        if changed := [job_id for job_id in standings if job_id not in found]:
            found |= (written := self._write(changed))
            if len(self._kept) + len(written) > KEPT_JOBS:
                self._kept.clear()
            short = {job_id: one for job_id, one in written.items() if len(one.body) <= KEPT_BYTES}
            self._kept |= {job_id: (standings[job_id], one) for job_id, one in short.items()}
        return found

    def _write(self, job_ids: Sequence[str]) -> dict[str, Polled]:
        """Read jobs and their progress at one moment, which is not before they stood as was read."""
        with self._database.snapshot() as session:
            jobs = session.execute(select(Job).where(Job.id.in_(job_ids))).scalars().all()
            totals = progress_of(session, [job.key for job in jobs])
        # PostgreSQL may delete a job between the two statements.
        return {job.id: Polled(job, *tagged(job_answer(job, totals[job.key]))) for job in jobs if job.key in totals}

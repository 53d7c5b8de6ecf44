"""Shared reads for polls of jobs: polls that arrive during a read are answered together by the next read.

Each poll is answered by a read that started after the poll arrived, so the answer is as recent as that of a read of its
own. A single client causes one read per poll; 200 clients that poll 50 jobs share one read of all 50. The route is a
coroutine, because waiting threads dominated its response time.

A read fetches the columns that may have changed. An answer is serialized again only if one of them has changed. Where
the database shows that nothing was committed since a read, as SQLite does, the answers of that read are given at once.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from service.api.http.conditional import tag_of
from service.api.http.json_answers import json_bytes
from service.api.schemas.jobs import job_answer
from service.database.connection import Database
from service.database.ids import is_id
from service.database.tables import Job
from service.errors import NotFound
from service.jobs.annotations import tags_of
from service.jobs.owners import Caller
from service.jobs.progress import progress_of

# Jobs of one read; further jobs are read next.
MAX_JOBS = 100
# Number of cached answers and their largest size: at most 16 MiB.
CACHED_JOBS, CACHED_BYTES = 256, 1 << 16
# All columns of a job's answer that can change. The receipt is stored when the job starts and never changes.
_STANDING = """
SELECT jobs.id, EXISTS (SELECT 1 FROM job_tags WHERE job_tags.job_key = jobs.key), jobs.name, jobs.note,
       jobs.status, started_at, finished_at, error_reason, error_detail,
       sum(runs_ended), sum(runs_diverged), sum(epochs_done), sum(num_runs * epoch)
FROM jobs JOIN shards ON shards.job_key = jobs.key WHERE jobs.id IN ({}) GROUP BY jobs.key
"""
_TAGS = """
SELECT jobs.id, tag FROM jobs JOIN job_tags ON job_tags.job_key = jobs.key WHERE jobs.id IN ({}) ORDER BY tag
"""


@dataclass(frozen=True)
class Polled:
    """A job as read, its JSON, and the entity tag of the JSON."""

    job: Job
    body: bytes
    tag: str


class Polls:
    """The waiting polls of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[str, asyncio.Future[Polled | None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._cache: dict[str, tuple[tuple[Any, ...], Polled]] = {}
        # Answers of reads that began at one version of the data, and the reason for a full disk then.
        self._current: dict[str, Polled] = {}
        self._current_at: tuple[int | None, str | None] = (None, None)

    async def get(self, job_id: str, caller: Caller) -> Polled:
        """Wait for the next read of a job.

        Raises:
            NotFound: The caller has no job with this id.
        """
        if not is_id(job_id):
            raise NotFound(f"there is no job {job_id!r}")
        future = self._waiting.get(job_id)
        if future is None:
            future = self._waiting[job_id] = asyncio.get_running_loop().create_future()
        if self._reading is None:
            self._reading = asyncio.create_task(self._read())
        # A client that disconnects must not cancel the future of the others.
        polled = await asyncio.shield(future)
        if polled is None or not (caller.is_admin or polled.job.owner == caller.id):
            raise NotFound(f"there is no job {job_id!r}")
        return polled

    async def _read(self) -> None:
        """Read until no poll waits."""
        try:
            while self._waiting:
                chosen = {job_id: self._waiting.pop(job_id) for job_id in list(self._waiting)[:MAX_JOBS]}
                try:
                    found = await self._found(list(chosen))
                except Exception as error:
                    for future in chosen.values():
                        future.set_exception(error)
                        future.exception()  # All its clients may have disconnected; asyncio must not log that.
                    continue
                for job_id, future in chosen.items():
                    future.set_result(found.get(job_id))
        finally:
            self._reading = None

    async def _found(self, job_ids: list[str]) -> dict[str, Polled]:
        """Give the answers of an earlier read if nothing was committed since it began, else read."""
        at = self._database.version(), self._database.why_full()
        if at != self._current_at:
            self._current, self._current_at = {}, at
        if missing := [job_id for job_id in job_ids if job_id not in self._current]:
            # What is committed during the read gives the data another version.
            read = await run_in_threadpool(self._find, missing)
            if at[0] is None:
                return read
            if len(self._current) + len(read) > CACHED_JOBS:
                self._current.clear()
            found = self._current | read
            self._current |= {job_id: one for job_id, one in read.items() if len(one.body) <= CACHED_BYTES}
            return found
        return self._current

    def _find(self, job_ids: Sequence[str]) -> dict[str, Polled]:
        """Read the changing columns of jobs, and serialize the answers of those that have changed."""
        waiting = self._database.why_full()
        rows = self._database.rows(_STANDING.format(", ".join("?" * len(job_ids))), job_ids)
        tagged = [row[0] for row in rows if row[1]]
        tags = self._database.rows(_TAGS.format(", ".join("?" * len(tagged))), tagged) if tagged else []
        standings = {row[0]: (*row, tuple(tag for job_id, tag in tags if job_id == row[0]), waiting) for row in rows}
        cached = {job_id: self._cache.get(job_id, (None, None)) for job_id in standings}
        found = {job_id: polled for job_id, (known, polled) in cached.items() if polled and known == standings[job_id]}
        if changed := [job_id for job_id in standings if job_id not in found]:
            found |= (written := self._write(changed, waiting))
            if len(self._cache) + len(written) > CACHED_JOBS:
                self._cache.clear()
            short = {job_id: one for job_id, one in written.items() if len(one.body) <= CACHED_BYTES}
            self._cache |= {job_id: (standings[job_id], one) for job_id, one in short.items()}
        return found

    def _write(self, job_ids: Sequence[str], waiting: str | None) -> dict[str, Polled]:
        """Read jobs and their progress in one transaction, which is not older than the changing columns."""
        with self._database.snapshot() as session:
            jobs = session.execute(select(Job).where(Job.id.in_(job_ids))).scalars().all()
            keys = [job.key for job in jobs]
            totals, tags = progress_of(session, keys), tags_of(session, keys)
        # A job may be deleted between the two statements.
        found = [job for job in jobs if job.key in totals]
        bodies = {job.id: json_bytes(job_answer(job, totals[job.key], waiting, tags.get(job.key, ()))) for job in found}
        return {job.id: Polled(job, bodies[job.id], tag_of(bodies[job.id])) for job in found}

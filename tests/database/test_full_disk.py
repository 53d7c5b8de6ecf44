"""A full disk: writers get 503 with the reason, jobs say why they wait, and nothing is lost when there is room."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import OperationalError

from service.database.connection import Database
from service.database.metric_rows import Metric
from service.database.outages import is_full
from service.database.tables import Job
from service.jobs import lifecycle, shards
from service.jobs.owners import ANYBODY
from service.jobs.upkeep import Upkeep
from service.settings import Settings
from tests.api.test_usage import api
from tests.queued import count, create
from tests.servers import copy_sqlite, until
from tests.stored import SPEC, Stored
from worker.runner import train_shard

DISK_MIB, RESERVE = 24, 8 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounted, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def url(disk: Path, new_database: Callable[[str], str]) -> str:
    return copy_sqlite(Path(make_url(new_database("sqlite")).database or ""), disk / "ravine.db")


def fill(disk: Path, leave: int) -> Path:
    """Fill a disk except for some bytes."""
    filler = disk / "filler"
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    filler.write_bytes(bytes(max(0, free - leave)))
    return filler


@pytest.mark.slow
def test_writers_are_503_with_the_reason_and_deleting_works(disk: Path, url: str) -> None:
    async def scenario() -> None:
        async with api(url, min_free_bytes=RESERVE, sweep_seconds=3_600) as client:
            jobs = [(await client.post("/v1/jobs", json=SPEC)).json()["id"] for _ in range(2)]
            assert (await client.get(f"/v1/jobs/{jobs[0]}")).json()["waiting"] is None
            filler = fill(disk, RESERVE // 2)
            for answer in (await client.post("/v1/jobs", json=SPEC), await client.get("/readyz")):
                assert answer.status_code == 503
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.headers["retry-after"]
                assert answer.json()["title"] == "Disk full"
                assert "free space or delete jobs" in answer.json()["detail"]
            waiting = (await client.get(f"/v1/jobs/{jobs[0]}")).json()["waiting"]
            assert waiting.startswith("the disk of the database is full")
            listed = (await client.get("/v1/jobs")).json()["items"]
            assert [job["waiting"] for job in listed] == [waiting, waiting]
            cancelled = await client.post(f"/v1/jobs/{jobs[0]}/cancel")
            assert (cancelled.json()["status"], cancelled.json()["waiting"]) == ("cancelled", None)
            for job in jobs:
                assert (await client.delete(f"/v1/jobs/{job}")).status_code == 204
            filler.unlink()
            # This one fails at the broker, which is not there.
            assert "disk" not in (await client.get("/readyz")).json()["detail"]
            assert (await client.post("/v1/jobs", json=SPEC)).status_code == 202

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_worker_keeps_its_chunk_and_its_lease_until_there_is_room(disk: Path, url: str) -> None:
    settings = Settings(database_url=url, flush_seconds=1e-9, look_seconds=0.02, lease_seconds=0.6)
    with closing(Database(url, min_free_bytes=RESERVE)) as database:
        key = create(database, epochs=40)
        filler = fill(disk, RESERVE // 2)
        training = threading.Thread(target=train_shard, args=(database, settings, key, 0))
        training.start()
        until(lambda: claimed(database, key), "the shard is not claimed")
        # Three leases later nothing is stored, and nobody takes the shard from its worker.
        threading.Event().wait(2.0)
        with database.transaction() as session:
            assert shards.take_back(session, max_attempts=3) == 0
        assert count(database, Metric) == 0
        assert training.is_alive()
        filler.unlink()
        training.join(timeout=60)
        assert not training.is_alive()
        with database.snapshot() as session:
            assert session.get_one(Job, key).status == "completed"
            assert session.execute(select(func.count()).select_from(Metric)).scalar_one() == 3 * 41


def test_a_cancelled_job_ends_although_the_disk_is_full(disk: Path, url: str) -> None:
    settings = Settings(database_url=url, flush_seconds=1e-9, look_seconds=0.02)
    with closing(Database(url, min_free_bytes=RESERVE)) as database:
        key = create(database, epochs=40)
        fill(disk, RESERVE // 2)
        training = threading.Thread(target=train_shard, args=(database, settings, key, 0))
        training.start()
        until(lambda: claimed(database, key), "the shard is not claimed")
        with database.transaction() as session:
            lifecycle.cancel(session, session.get_one(Job, key).id, ANYBODY)
        training.join(timeout=60)
        with database.snapshot() as session:
            assert session.get_one(Job, key).status == "cancelled"


def claimed(database: Database, key: int) -> bool:
    with database.snapshot() as session:
        return session.get_one(Job, key).status == "running"


def test_a_disk_without_a_free_byte_is_recognised_and_forgotten(
    disk: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.database.connection.FULL_SECONDS", 1.0)
    with closing(Database(url)) as database:
        # The first connection creates a file beside the database.
        assert count(database, Job) == 0
        filler = fill(disk, 0)
        with pytest.raises(OperationalError) as raised, database.transaction() as session:
            session.execute(text("CREATE TABLE filler AS SELECT zeroblob(2000000)"))
        assert is_full(raised.value)
        assert "free space or delete jobs" in (database.why_full() or "")
        filler.unlink()
        with database.transaction() as session:
            session.execute(text("CREATE TABLE filler AS SELECT zeroblob(2000000)"))
        until(lambda: database.why_full() is None, "the disk is still called full")


@pytest.mark.slow
def test_deleting_jobs_makes_room_on_a_full_disk(disk: Path, url: str) -> None:
    with closing(Database(url, min_free_bytes=RESERVE)) as database:
        stored, training = Stored(database), Stored(database)
        stored.finish()
        # A job that trains must not keep the space.
        training.store(0, 1)
        grow = text("INSERT INTO decisions VALUES (:key, :run, 9, zeroblob(3200))")
        with database.transaction() as session:
            session.execute(grow, [{"key": stored.job.key, "run": run} for run in range(2_400)])
        database.shorten_journal()
        fill(disk, RESERVE // 2)
        assert database.why_full() is not None
        with database.transaction() as session:
            lifecycle.remove(session, stored.id, ANYBODY)
        Upkeep(database, 1.0).once()
        assert database.why_full() is None

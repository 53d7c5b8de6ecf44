"""A database that is read-only, a disk that is full: clients are told 503, nothing is lost, and work goes on by itself.

A full disk is no fault of the job: it survives, and goes on when there is room again.
"""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from sqlalchemy import event, make_url, select

from service.api.app import create_app
from service.database.bulk import MetricRows
from service.database.connection import Database
from service.database.statements import seconds_from_now
from service.database.tables import Job, Shard
from service.database.writing import write_rows
from service.histories import json_histories
from service.histories.reading import Selection
from service.jobs import lifecycle
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from service.spec.runs import Runs
from tests.api.test_jobs import LONG, SPEC, post
from tests.servers import Broker, Stack, until, wait_for_job

NO_ROOM = 0  # The size in bytes beyond which no file may be written.


@contextmanager
def full_disk(stack: Stack) -> Iterator[None]:
    """No process of a stack can write to a file any more, as far as the kernel lets any process see a full disk."""
    started = [psutil.Process(one.pid) for one in stack.processes.values() if one.pid is not None]
    processes = [process for one in started for process in (one, *one.children(recursive=True))]
    before = {process: process.rlimit(psutil.RLIMIT_FSIZE) for process in processes}
    for process, (_, hard) in before.items():
        process.rlimit(psutil.RLIMIT_FSIZE, (NO_ROOM, hard))
    try:
        yield
    finally:
        for process, limits in before.items():
            process.rlimit(psutil.RLIMIT_FSIZE, limits)


def assert_unavailable(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"]
    assert answer.json()["status"] == 503
    assert "Traceback" not in answer.text


def epochs_done(client: httpx.Client, job_id: str) -> int:
    return int(client.get(f"/v1/jobs/{job_id}").json()["progress"]["epochs_done"])


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="only Linux changes the limits of running processes")
def test_a_job_goes_on_when_a_full_disk_has_room_again(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    url = new_database("sqlite")
    env = {"RAVINE_LEASE_SECONDS": "1", "RAVINE_SWEEP_SECONDS": "0.2", "RAVINE_FLUSH_SECONDS": "0.1"}
    with Stack(url, broker.new_url(), tmp_path, env=env) as stack, stack.client() as client:
        long = post(client, {**LONG, "epochs": 10_000_000, "record_every": 1_000})["id"]
        until(lambda: epochs_done(client, long) > 0, "nothing was recorded")
        with full_disk(stack):
            assert_unavailable(client.post("/v1/jobs", json=SPEC))
            assert_unavailable(client.post(f"/v1/jobs/{long}/cancel"))
            stopped_at = epochs_done(client, long)
            assert client.get("/v1/jobs").status_code == 200
            # By then three workers would have been lost on it, if each lease that ended were the loss of one.
            until(lambda: silent_for(url, 4.0), "the lease is renewed, so the disk is not full")
            assert epochs_done(client, long) == stopped_at
            assert client.get(f"/v1/jobs/{long}").json()["status"] == "running"
        until(lambda: epochs_done(client, long) > stopped_at, "the job does not go on")
        assert wait_for_job(client, post(client)["id"])["status"] == "completed"
        client.post(f"/v1/jobs/{long}/cancel")
        assert wait_for_job(client, long)["status"] == "cancelled"
    with closing(sqlite3.connect(make_url(url).database or "")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        done = connection.execute(
            "SELECT epochs_done FROM runs JOIN jobs ON key = job_key WHERE id = ?", [long]
        ).fetchone()
        found = connection.execute("SELECT epoch FROM metrics JOIN jobs ON key = job_key WHERE id = ?", [long])
        # Every thousandth epoch up to the last that was trained, each of them once.
        assert sorted(epoch for (epoch,) in found) == list(range(0, done[0] + 1, 1_000))


def silent_for(url: str, seconds: float) -> bool:
    """Whether the lease of every shard that trains ended so long ago."""
    database = Database(url)
    try:
        with database.snapshot() as session:
            running = select(Shard.lease_until < seconds_from_now(-seconds)).where(Shard.lease_until.is_not(None))
            return all(session.execute(running).scalars())
    finally:
        database.close()


@contextmanager
def read_only(database: Database) -> Iterator[None]:
    """New connections of this process, and it has no others, may only read."""

    def refuse(connection: Any, *_: Any) -> None:
        setting = "PRAGMA query_only = ON" if database.file else "SET default_transaction_read_only = on"
        with closing(connection.cursor()) as cursor:
            cursor.execute(setting)
        if not database.file:
            connection.commit()

    event.listen(database.engine, "connect", refuse)
    database.engine.dispose()
    try:
        yield
    finally:
        event.remove(database.engine, "connect", refuse)
        database.engine.dispose()


@pytest.mark.slow(after=1)
def test_a_read_only_database_is_503_for_writers_and_readers_read_on(database_url: str, broker_url: str) -> None:
    app = create_app(Settings(database_url=database_url, broker_url=broker_url))

    async def scenario() -> None:
        here = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=here, base_url="http://127.0.0.1") as client,
        ):
            job = (await client.post("/v1/jobs", json=SPEC)).json()
            with read_only(app.state.database):
                assert_unavailable(await client.post("/v1/jobs", json=SPEC))
                assert_unavailable(await client.post(f"/v1/jobs/{job['id']}/cancel"))
                assert_unavailable(await client.delete(f"/v1/jobs/{job['id']}"))
                listed = (await client.get("/v1/jobs")).json()["items"]
                assert [one["id"] for one in listed] == [job["id"]]
                assert (await client.get(f"/v1/jobs/{job['id']}")).json()["status"] == "queued"
            assert (await client.post("/v1/jobs", json=SPEC)).status_code == 202
            assert (await client.post(f"/v1/jobs/{job['id']}/cancel")).json()["status"] == "cancelled"

    asyncio.run(scenario())


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("stored", "written"),
    [("nan", "NaN"), ("inf", "Infinity"), ("-inf", "-Infinity"), ("1e308", 1e308), (None, None),
     ("5e-324", 5e-324), ("0.1", 0.1), ("-0.0", -0.0)],
)  # fmt: skip
def test_a_number_is_read_as_it_was_stored(
    database: Database, monkeypatch: pytest.MonkeyPatch, stored: str | None, written: Any
) -> None:
    job = job_with_rows(database, num_rows=3, value=None if stored is None else float(stored))
    selection, runs = Selection(("loss", "sharpness"), dimension=2), Runs(JobSpec.model_validate(job.spec))
    for block_rows in (10**6, 2):  # In one piece, and as a long history.
        monkeypatch.setattr(json_histories, "PIECE_ROWS", block_rows)
        pieces = json_histories.page(database, job, runs, [0], selection, None)
        run = json.loads(b"".join(pieces))["runs"][0]
        for field in ("loss", "sharpness"):
            assert [repr(value) for value in run[field]] == [repr(written)] * 3


def job_with_rows(database: Database, num_rows: int, value: float | None) -> Job:
    """A job, and rows of one run that have this value in two fields."""
    spec = JobSpec.model_validate(SPEC)
    with database.transaction() as session:
        job, _ = lifecycle.create(session, spec, price(spec))
        shape = (2, num_rows)
        values_FN, measured_FN = np.full(shape, np.nan if value is None else value), np.full(shape, value is not None)
        run_index_N = np.zeros(num_rows, dtype=np.int64)
        rows = MetricRows(("loss", "sharpness"), run_index_N, np.arange(num_rows), values_FN, measured_FN)
        write_rows(session, job.key, rows)
    return job

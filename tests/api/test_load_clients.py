"""Many clients at once while jobs train: all answers are valid, no lock errors occur, and memory does not grow."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.database.connection import Database
from service.jobs import lifecycle, listing
from service.jobs.owners import ANYBODY
from service.spec.job import JobSpec
from service.spec.price import price
from tests.api.test_jobs import SPEC, post
from tests.servers import PATIENCE, Broker, Stack, wait_for_job

# A second or two of training, and 40,000 rows.
SWEEP: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "momentum", "lr": 0.05, "momentum": {"from": 0.0, "to": 0.99, "num": 400}}],
    "epochs": 1_000,
    "record_every": 10,
}


def poll(url: str, num_clients: int, seconds: float, job_ids: list[str]) -> Counter[str]:
    """Count the answers of polling clients by status."""
    command = [sys.executable, "-m", "benchmarks.poller", url, str(num_clients), str(seconds), "0", *job_ids]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    return Counter(json.loads(done.stdout)["answers"])


def epochs_done(client: httpx.Client, job_id: str) -> int:
    return int(client.get(f"/v1/jobs/{job_id}").json()["progress"]["epochs_done"])


@pytest.mark.slow
def test_fifty_clients_poll_while_ten_jobs_train_without_an_error(client: httpx.Client) -> None:
    job_ids = [post(client, SWEEP)["id"] for _ in range(10)]
    answers = poll(str(client.base_url), 50, 4.0, job_ids)
    for job_id in job_ids:
        client.post(f"/v1/jobs/{job_id}/cancel")
    assert set(answers) == {"200", "304"}
    assert answers.total() > 200
    ends = {wait_for_job(client, job_id)["status"] for job_id in job_ids}
    assert ends <= {"completed", "cancelled"}


@pytest.mark.slow(after=1)
def test_a_poll_is_never_older_than_an_earlier_answer(client: httpx.Client) -> None:
    """A shared read starts after the poll arrives, also while other clients poll all the time."""
    stopped = threading.Event()
    job_ids = [post(client, {**SWEEP, "epochs": 10_000})["id"] for _ in range(5)]

    def keep_asking(job_id: str) -> None:
        while not stopped.is_set():
            client.get(f"/v1/jobs/{job_id}")

    with ThreadPoolExecutor(10) as pool:
        others = [pool.submit(keep_asking, job_id) for job_id in job_ids * 2]
        try:
            for job_id in job_ids:
                assert client.post(f"/v1/jobs/{job_id}/cancel").status_code == 202
                assert client.get(f"/v1/jobs/{job_id}").json()["status"] in {"cancelling", "cancelled"}
        finally:
            stopped.set()
    for other in others:
        other.result()


def test_an_unknown_job_is_404_while_other_polls_are_answered(client: httpx.Client) -> None:
    known = post(client)["id"]
    unknown = known[:-1] + ("0" if known[-1] != "0" else "1")
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda one: client.get(f"/v1/jobs/{one}").status_code, [known, unknown] * 20))
    assert statuses == [200, 404] * 20


@pytest.mark.slow
def test_a_burst_of_jobs_is_accepted_and_completed(client: httpx.Client) -> None:
    with ThreadPoolExecutor(20) as pool:
        job_ids = list(pool.map(lambda _: post(client, {**SPEC, "epochs": 2})["id"], range(40)))
    assert len(set(job_ids)) == 40
    assert {wait_for_job(client, job_id)["status"] for job_id in job_ids} == {"completed"}


@pytest.mark.slow
def test_sqlite_is_never_locked_for_eight_readers_and_two_writing_workers(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    env = {"RAVINE_FLUSH_SECONDS": "0.05", "RAVINE_SWEEP_SECONDS": "0.2"}
    stopped = threading.Event()
    with Stack(new_database("sqlite"), broker.new_url(), tmp_path, batch_processes=2, env=env) as stack:
        job_ids: list[str] = []

        def read(number: int) -> Counter[int]:
            seen: Counter[int] = Counter()
            with stack.client() as client:
                while not stopped.is_set():
                    job_id = job_ids[number % len(job_ids)]
                    for path in (f"jobs/{job_id}", f"jobs/{job_id}/runs", f"jobs/{job_id}/metrics?limit=20", "jobs"):
                        seen[client.get(f"/v1/{path}").status_code] += 1
            return seen

        with stack.client() as client, ThreadPoolExecutor(8) as pool:
            job_ids += [post(client, SWEEP)["id"] for _ in range(2)]
            readers = [pool.submit(read, number) for number in range(8)]
            try:
                # Small jobs are stored beside both sweeps until chunks of each sweep have been stored several times.
                deadline = time.monotonic() + 3 * PATIENCE
                while any(epochs_done(client, job_id) < 5_000 for job_id in job_ids):
                    assert time.monotonic() < deadline, "the sweeps are not written"
                    assert wait_for_job(client, post(client)["id"])["status"] == "completed"
                for job_id in job_ids:
                    client.post(f"/v1/jobs/{job_id}/cancel")
                ends = [wait_for_job(client, job_id) for job_id in job_ids]
            finally:
                stopped.set()
            seen = sum((reader.result() for reader in readers), Counter[int]())
    assert set(seen) == {200}
    assert {job["status"] for job in ends} <= {"completed", "cancelled"}
    printed = "".join(log.read_text() for log in tmp_path.glob("*.log"))
    assert "locked" not in printed


# Trains one shard after another in one process, as a worker does, without the queue.
CHILD = """
import sys, psutil
from service.database.connection import Database
from service.settings import Settings
from worker.engine.device import use_device
from worker.runner import train_shard
use_device("cpu")
database = Database(sys.argv[1])
for number, key in enumerate(map(int, sys.argv[2:]), 1):
    train_shard(database, Settings(), key, 0)
    if number % 50 == 0:
        print(psutil.Process().memory_info().rss, flush=True)
"""


@pytest.mark.slow
def test_the_memory_of_a_worker_is_flat_over_many_jobs(new_database: Callable[[str], str]) -> None:
    url = new_database("sqlite")
    database = Database(url)
    spec = JobSpec.model_validate({**SPEC, "epochs": 3})
    with database.transaction() as session:
        keys = [lifecycle.create(session, spec, price(spec))[0].key for _ in range(200)]
    command = [sys.executable, "-c", CHILD, url, *map(str, keys)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    sizes = [int(line) for line in done.stdout.split()]
    with database.snapshot() as session:
        listed = listing.listed(session, ANYBODY, limit=300, status="completed")
    database.close()
    assert len(listed) == 200
    # A leak of 20 kB a job, less than one of its histories, would show. In the first 50 jobs the compiler is loaded.
    assert sizes[-1] - sizes[1] < 2e6, sizes

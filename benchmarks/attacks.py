"""Statuses and small jobs of one key while another client attacks the service, each attack in turn."""

import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.attackers import ATTACKS, COMPARED
from benchmarks.jobs import SMALL, post
from benchmarks.memory import Watch, service_processes
from benchmarks.timing import Timer, wait_for_job
from service.cli.local.stack import LocalStack
from service.database.connection import Database
from service.jobs import owners

ATTACK_SECONDS = 15.0
# The status of a job is polled at this interval.
STATUS_SECONDS = 0.05


def measure() -> dict[str, Any]:
    """Run all attacks against one embedded stack with two workers."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, LocalStack(Path(name), port=0, workers=2) as stack:
        mine, theirs = _keys(Path(name))
        with _client(stack.url, mine) as client, _client(stack.url, theirs) as attacker:
            wait_for_job(attacker, post(attacker, COMPARED))
            wait_for_job(client, post(client, SMALL))
            figures |= _figures("no attack", client, stack.url, None, theirs)
            # The job of the comparisons is the attacker's newest as long as no other attack has posted jobs.
            for attack in sorted(ATTACKS, key=lambda each: each.startswith("20 jobs")):
                figures |= _figures(attack, client, stack.url, attack, theirs)
    return figures


def _keys(folder: Path) -> tuple[str, str]:
    database = Database(f"sqlite:///{folder / 'ravine.db'}")
    try:
        with database.transaction() as session:
            return tuple(owners.create(session, name, is_admin=False)[1] for name in ("user", "attacker"))  # type: ignore[return-value]
    finally:
        database.close()


def _client(url: str, key: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120, trust_env=False)


def _figures(what: str, client: httpx.Client, url: str, attack: str | None, key: str) -> dict[str, Any]:
    """Post small jobs one after the other, and poll a status, while the attack lasts."""
    jobs: list[float] = []
    statuses: list[float] = []
    api, _ = service_processes(os.getpid())
    polled = post(client, SMALL)
    ended = threading.Event()
    poller = threading.Thread(target=_poll, args=(client, polled, ended, statuses))
    with Watch(api) as watch:
        command = [sys.executable, "-m", "benchmarks.attackers", attack or "", url, key, str(ATTACK_SECONDS)]
        attacking = subprocess.Popen(command) if attack else None
        poller.start()
        end = time.monotonic() + ATTACK_SECONDS
        while time.monotonic() < end:
            with Timer() as timer:
                wait_for_job(client, post(client, SMALL), poll_seconds=0.02)
            jobs.append(timer.seconds)
        ended.set()
        poller.join()
        if attacking:
            attacking.wait()
    return {
        f"{what}: GET status, p99 (ms)": 1_000 * statistics.quantiles(statuses, n=100, method="inclusive")[-1],
        f"{what}: GET status, slowest (ms)": 1_000 * max(statuses),
        f"{what}: a small job, median (s)": statistics.median(jobs),
        f"{what}: a small job, slowest (s)": max(jobs),
        f"{what}: peak memory of the API (MB)": max(watch.peaks[pid] for pid in api) / 1e6,
    }


def _poll(client: httpx.Client, job_id: str, ended: threading.Event, seconds: list[float]) -> None:
    while not ended.wait(STATUS_SECONDS):
        with Timer() as timer:
            client.get(f"/v1/jobs/{job_id}").raise_for_status()
        seconds.append(timer.seconds)

"""Elapsed time, processor time, and waiting for jobs."""

import time
from collections.abc import Callable
from typing import Self

import httpx
import psutil


class Timer:
    """The elapsed seconds of a block: ``with Timer() as timer``; inside the block, those so far."""

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        self._ended: float | None = None
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Give the seconds since the start of the block."""
        return (self._ended or time.perf_counter()) - self._started


def repeat(work: Callable[[], object], times: int, *, warm_ups: int = 0) -> list[float]:
    """Give the seconds of each of several calls, after some warm-up calls."""
    for _ in range(warm_ups):
        work()
    return [_seconds(work) for _ in range(times)]


def _seconds(work: Callable[[], object]) -> float:
    with Timer() as timer:
        work()
    return timer.seconds


def processor_of(work: Callable[[], object], times: int, *, warm_ups: int = 0) -> float:
    """Give the least processor time of several calls of this process, after some warm-up calls."""
    for _ in range(warm_ups):
        work()
    return min(_processor_of(work) for _ in range(times))


def _processor_of(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def processor_seconds(*pids: int) -> float:
    """Give the processor time of processes so far; it depends less on other load than elapsed time."""
    return float(sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids))


def wait_until(condition: Callable[[], bool], otherwise: str, *, deadline_seconds: float, poll_seconds: float) -> None:
    """Poll a condition until it is true; after the deadline raise an error that names what did not happen."""
    with Timer() as timer:
        while not condition():
            assert timer.seconds < deadline_seconds, f"{otherwise} within {deadline_seconds:g} s"
            time.sleep(poll_seconds)


def wait_for_job(
    client: httpx.Client, job_id: str, *, deadline_seconds: float = 600.0, poll_seconds: float = 0.004
) -> None:
    """Poll a job until it is completed; raise an error if it ends otherwise."""

    def is_completed() -> bool:
        status = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["status"]
        assert status in {"queued", "running", "completed"}, f"job {job_id} is {status}"
        return bool(status == "completed")

    wait_until(is_completed, f"job {job_id} did not end", deadline_seconds=deadline_seconds, poll_seconds=poll_seconds)

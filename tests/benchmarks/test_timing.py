"""Timers and waiting of the benchmarks."""

import time

import pytest

from benchmarks.timing import Timer, repeat, wait_until


def test_a_timer_runs_during_its_block_only() -> None:
    with Timer() as timer:
        time.sleep(0.01)
        inside = timer.seconds
    assert 0.01 <= inside <= timer.seconds
    ended = timer.seconds
    time.sleep(0.01)
    assert timer.seconds == ended


def test_warm_ups_run_but_are_not_timed() -> None:
    calls: list[int] = []
    assert len(repeat(lambda: calls.append(1), 3, warm_ups=2)) == 3
    assert len(calls) == 5


def test_after_the_deadline_the_error_names_what_did_not_happen() -> None:
    wait_until(lambda: True, "it ended", deadline_seconds=0.0, poll_seconds=0.0)
    with pytest.raises(AssertionError, match=r"the job did not end within 0\.01 s"):
        wait_until(lambda: False, "the job did not end", deadline_seconds=0.01, poll_seconds=0.001)

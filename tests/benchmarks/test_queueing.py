"""The simulated queue of the benchmarks has the waiting times of queueing theory."""

import math

import numpy as np
import pytest

from benchmarks.queueing import poisson, waits


def test_a_job_waits_for_the_first_worker_that_is_free() -> None:
    assert waits([0, 0, 0, 1, 10], [4, 2, 1, 1, 1], 2).tolist() == [0, 0, 2, 2, 0]


@pytest.mark.parametrize("num_workers", [1, 4])
def test_mean_waits_are_those_of_erlang(num_workers: int) -> None:
    generator, num = np.random.default_rng(7), 100_000
    load = 0.7 * num_workers  # Jobs take a second each in the mean.
    found = waits(poisson(load, num, generator), generator.exponential(1.0, num), num_workers).mean()
    # Erlang's C formula: the probability that all workers are busy.
    busy = load**num_workers / math.factorial(num_workers) / (1 - load / num_workers)
    all_busy = busy / (sum(load**k / math.factorial(k) for k in range(num_workers)) + busy)
    assert found == pytest.approx(all_busy / (num_workers - load), rel=0.05)

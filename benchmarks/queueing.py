"""Simulation of a queue with several workers: the waiting times of jobs."""

import heapq
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def waits(arrived_N: Sequence[float] | Floats, occupied_N: Sequence[float] | Floats, num_workers: int) -> Floats:
    """Give the waiting time of each job in seconds: first come, first served, by the first free worker.

    ``arrived_N`` are times of arrival in ascending order, ``occupied_N`` the times that a worker spends on each job.
    """
    free = [-np.inf] * num_workers
    waited_N = np.empty(len(arrived_N))
    for number, (arrived, occupied) in enumerate(zip(arrived_N, occupied_N, strict=True)):
        begins = max(arrived, heapq.heappop(free))
        heapq.heappush(free, begins + occupied)
        waited_N[number] = begins - arrived
    return waited_N


def poisson(per_second: float, num: int, generator: np.random.Generator) -> Floats:
    """Draw times of arrival of independent requests (a Poisson process)."""
    return generator.exponential(1 / per_second, num).cumsum()


def p95_of_workers(
    per_second: float, measured_N: Floats, workers: Sequence[int], *, num: int, seed: int = 0
) -> dict[int, float]:
    """Give the 95th percentile of the waiting time for each number of workers, with jobs drawn from measured ones."""
    generator = np.random.default_rng(seed)
    arrived_N = poisson(per_second, num, generator)
    occupied_N = generator.choice(measured_N, num)
    return {num: float(np.quantile(waits(arrived_N, occupied_N, num), 0.95)) for num in workers}

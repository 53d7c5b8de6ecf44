"""Speed-up to a target when some runs miss it."""

import numpy as np
import pytest

from service.analysis.speed import expected_epochs, speed_up

INF = np.inf


def column(*times: float) -> np.ndarray:
    return np.array(times, dtype=float)[:, None]


def test_the_ratio_of_expected_running_times_counts_what_misses_cost() -> None:
    this = column(10, 20, 10, 20, 10, INF)
    other = column(30, 50, INF, 40, INF, 30)
    found = speed_up(this, other, 100)
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(((30 + 50 + 100 + 40 + 100 + 30) / 4) / ((70 + 100) / 5))
    assert found.ratio.low < found.ratio.value < found.ratio.high
    assert (found.wins, found.losses, found.both_missed, found.seeds) == (5, 1, 0, 6)
    assert expected_epochs(this, 100) == 170 / 5


def test_a_label_that_never_arrives_gives_a_bound_and_no_ratio() -> None:
    found = speed_up(column(*[20] * 6), column(*[INF] * 6), 100)
    assert found.ratio is None
    assert found.at_least == 5
    assert speed_up(column(*[INF] * 6), column(*[20] * 6), 100).at_most == pytest.approx(0.2)
    nobody = speed_up(column(*[INF] * 6), column(*[INF] * 6), 100)
    assert (nobody.ratio, nobody.at_least, nobody.at_most, nobody.both_missed) == (None, None, None, 6)


def test_runs_that_begin_at_the_target_count_for_nothing() -> None:
    found = speed_up(column(0, 10, 10, 10, 10, 10, 20), column(0, 20, 20, 20, 30, 20, 40), 100)
    assert (found.seeds, found.at_start, found.wins) == (6, 1, 6)
    empty = speed_up(column(0, 0), column(0, 0), 100)
    assert (empty.ratio, empty.capped_ratio, empty.seeds) == (None, None, 0)


def test_fewer_than_six_seeds_give_no_interval() -> None:
    found = speed_up(column(10, 20, 30), column(20, 30, 70), 100)
    assert found.ratio is not None
    assert not found.ratio.has_interval
    assert found.capped_ratio is not None
    assert not found.capped_ratio.has_interval


def test_starts_are_averaged_within_a_seed() -> None:
    rng = np.random.default_rng(0)
    this, other = rng.integers(1, 90, (8, 1)).astype(float), rng.integers(1, 90, (8, 1)).astype(float)
    once, copied = speed_up(this, other, 100), speed_up(np.tile(this, (1, 50)), np.tile(other, (1, 50)), 100)
    assert once.ratio is not None
    assert copied.ratio is not None
    assert (copied.ratio.low, copied.ratio.high) == pytest.approx((once.ratio.low, once.ratio.high))
    assert copied.seeds == 8


@pytest.mark.parametrize("num", [6, 10, 20])
def test_equal_labels_with_misses_differ_in_speed_in_at_most_seven_of_a_hundred_draws(num: int) -> None:
    rng = np.random.default_rng(num)
    wrong = 0
    for _ in range(1_000):
        times = rng.lognormal(3, 0.5, (2, num, 1))
        times[rng.random(times.shape) < 0.3] = INF
        found = speed_up(times[0], times[1], 100)
        wrong += found.ratio is not None and found.ratio.excludes(1)
    assert wrong <= 70

"""Verdicts of the lessons on speed for given numbers of updates."""

import numpy as np
import pytest

from service.findings.lessons import LESSONS
from service.findings.lessons.finding import Finding
from service.findings.lessons.speed import FLIPNET, SURFACES
from service.spec.presets.landscapes import CONDITIONS
from tests.findings.evidence import arrivals

SEEDS = np.arange(40)
# A few epochs more or less from seed to seed, the same for all labels.
SPREAD = SEEDS % 3


def speedup(times: float, scanned: float | None = None, noise: float = 0.0, flipnet: float | None = None) -> Finding:
    """Judge a speed-up that is the same everywhere, except at the rate 0.2, where both are slow."""
    rng = np.random.default_rng(0)
    fast, slow = 10, 10 * times
    other = {("sgd", 0.2): [20 * (scanned or times)], ("momentum", 0.2): [20]}
    surfaces = {
        ("sgd", 0.1): [slow],
        ("momentum", 0.1): [fast],
        ("sgd, text's rate", 0.015): [slow],
        ("momentum, text's rate", 0.015): [fast],
        **other,
    }
    of_seeds = (fast * (flipnet or times) + SPREAD) * np.exp(noise * rng.normal(size=40)).round(2)
    on_flipnet = {
        ("sgd", 0.05): of_seeds,
        ("momentum", 0.05): np.full(40, fast),
        **{setting: np.full(40, of) for setting, (of,) in other.items()},
    }
    jobs = {preset: arrivals(surfaces, 200) for preset in SURFACES.values()}
    return LESSONS["speedup-3-5"].judge({**jobs, FLIPNET: arrivals(on_flipnet, 200)})


def test_a_speed_up_must_be_3_to_5_at_the_best_rates_or_at_the_rate_of_the_text() -> None:
    assert speedup(4).verdict == "holds"
    assert speedup(6).verdict.startswith("fails: updates of SGD by those of momentum")


def test_a_rate_at_which_the_ratio_happens_to_fit_does_not_count() -> None:
    assert speedup(1, scanned=4).verdict.startswith("fails")


def test_a_speed_up_with_a_wide_interval_is_inconclusive() -> None:
    found = speedup(7, noise=0.7, flipnet=2.6)
    assert found.verdict.startswith("inconclusive")
    assert found.readings["measured on FlipNet at the text's rate 0.05"] is None
    assert found.readings["measured on the ravine with each at its best rate"] is False


@pytest.mark.parametrize(
    ("sgd", "verdict"),
    [
        ((40, 400, 4000), "holds"),
        ((40, 150, 450), "fails: it is not true that ten times the ratio costs SGD at least five times the updates"),
        ((2, 20, 200), "fails: it is not true that at 100 and 1000 SGD needs more updates than momentum"),
    ],
)
def test_sgd_is_slow_if_its_updates_grow_with_the_condition_number(sgd: tuple[int, ...], verdict: str) -> None:
    jobs = {
        "curvature" if condition == 10 else f"curvature-{condition}": arrivals(
            {("sgd, best", 0.1): [slow], ("momentum, best", 0.1): [fast]}, 6000
        )
        for condition, slow, fast in zip(CONDITIONS, sgd, (10, 30, 100), strict=True)
    }
    assert LESSONS["curvature"].judge(jobs).verdict == verdict


def nesterov(saved: float, noise: float = 0.0, on_surfaces: float = 0.2) -> Finding:
    rng = np.random.default_rng(1)
    surface = arrivals({("momentum", 0.1): np.full(36, 50), ("nesterov", 0.1): np.full(36, 50 * (1 - on_surfaces))})
    heavy = 60 + 10 * rng.random(40)
    # Of both, two seeds miss the target.
    heavy[:2] = np.inf
    fast = heavy * (1 - saved) * np.exp(noise * rng.normal(size=40))
    return LESSONS["nesterov-5-10"].judge(
        {
            "nesterov-5-10": surface,
            "nesterov-5-10-rosenbrock": surface,
            "nesterov-5-10-flipnet": arrivals({("momentum", 0.05): heavy, ("nesterov", 0.05): fast}, 100),
        }
    )


def test_nesterov_saves_5_to_10_per_cent_or_not_by_the_whole_interval() -> None:
    assert nesterov(0.075).verdict == "holds if measured on FlipNet"
    assert nesterov(0.075, on_surfaces=0.08).verdict == "holds"
    assert nesterov(0.3).verdict.startswith("fails: 5 to 10 % are saved from 0 of 36 starts on the ravine")
    assert nesterov(0.075, noise=0.3).verdict.startswith("inconclusive: 5 to 10 % are saved from 0 of 36 starts")

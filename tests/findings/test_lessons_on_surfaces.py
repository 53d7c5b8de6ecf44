"""Verdicts of the lessons on surfaces when the statement holds, when it fails, and when the seeds leave it open."""

import numpy as np
import pytest

from service.findings.lessons import LESSONS
from service.findings.lessons.evidence import Evidence
from service.spec.presets import PRESETS
from service.spec.presets.landscapes import TEMPERATURES
from service.spec.presets.parabola import CRITICAL_BETA
from service.spec.presets.ravine import BETAS, LARGE_RATES, SHIFT_AT
from tests.findings.made import Floats, heavy_ball, job, on_the_ravine, run


def verdict(name: str, *jobs: Evidence) -> str:
    return LESSONS[name].judge(dict(zip(LESSONS[name].presets, jobs, strict=True))).verdict


def on_the_parabola(label: str, lr: float, beta: float, updates: int, nesterov: bool = False) -> object:
    return run(label, position=heavy_ball([5], [2], lr, beta, updates, nesterov))


def test_a_number_of_steps_is_about_right_within_a_tenth() -> None:
    def arrivals(sgd: int, first: int, last: int) -> str:
        steps = np.arange(301)
        momentum = np.where((steps < first) | ((steps > first) & (steps < last)), 1.0, 0.1)
        plain = np.where(steps < sgd, 1.0, 0.1)
        runs = [run("sgd", position=plain[:, None]), run("momentum", position=momentum[:, None])]
        return verdict("parabola-to-half", job(runs))

    assert arrivals(114, 33, 33) == "holds"
    assert arrivals(114, 13, 33) == "holds if the step from which w stays within 0.5 of the minimum counts"
    assert arrivals(114, 13, 39) == (
        "fails: SGD needs 114 steps; momentum is there first after 13 steps and stays there after 39"
    )
    assert arrivals(128, 33, 33).startswith("fails")


def test_overshoot_wastes_steps_only_if_a_run_without_it_is_faster() -> None:
    def found(critical: float) -> str:
        runs = [
            on_the_parabola("sgd", 0.01, 0.0, 500),
            on_the_parabola("momentum", 0.01, 0.9, 500),
            on_the_parabola("nesterov", 0.01, 0.9, 500, nesterov=True),
            on_the_parabola("without overshoot", 0.01, critical, 500),
        ]
        return verdict("overshoot-cost", job(runs))

    assert found(CRITICAL_BETA) == "holds"
    assert found(0.1) == "fails: it is not true that it settles later than the largest momentum that does not pass"


def test_the_theory_of_the_momentum_without_overshoot_is_right() -> None:
    assert (heavy_ball([5], [2], 0.01, CRITICAL_BETA, 500) > 0).all()
    assert (heavy_ball([5], [2], 0.01, CRITICAL_BETA + 0.01, 500) < 0).any()


def test_the_thresholds_of_theory_decide_what_sgd_does_at_large_rates() -> None:
    def found(curvatures: tuple[float, float]) -> str:
        return verdict("ravine-large-lr", job([on_the_ravine("sgd", lr, curvatures=curvatures) for lr in LARGE_RATES]))

    assert found((2, 80)) == "holds"
    assert found((2, 20)).startswith(
        "fails: it is not true that at 0.04 SGD oscillates across the ravine or diverges, nor that at 0.015"
    )


def test_momentum_is_smooth_if_it_changes_sign_less_often_than_sgd() -> None:
    wild, calm = {"lr": 0.04, "beta": 0.9}, {"lr": 0.04, "beta": 0.0}
    swapped = job([on_the_ravine("sgd", **wild, updates=300), on_the_ravine("momentum", **calm, updates=300)])
    assert verdict("ravine-momentum-smooth", swapped) == "holds"
    real = job([on_the_ravine("sgd", **calm, updates=300), on_the_ravine("momentum", **wild, updates=300)])
    assert "w₂ changes sign 0 times with SGD and 91 times with momentum" in verdict("ravine-momentum-smooth", real)


def test_the_race_is_won_early_and_late_or_only_at_some_updates() -> None:
    def race(sgd: float, momentum: float) -> str:
        rates = {"sgd": (sgd, 0.0), "momentum": (momentum, 0.9), "nesterov": (0.015, 0.9)}
        runs = [on_the_ravine(label, lr, beta, 400) for label, (lr, beta) in rates.items()]
        return verdict("ravine-race", job(runs))

    assert race(0.015, 0.015) == "holds"
    assert race(0.04, 0.0001) == "fails"
    assert race(0.04, 0.015) == "holds if compared at update 10"


def noisy(turn: float, seed: int) -> Floats:
    """A path of unit steps that turns by this angle at each step, left or right."""
    angles = np.cumsum(np.random.default_rng(seed).choice([-turn, turn], size=100))
    return np.cumsum(np.stack([np.cos(angles), np.sin(angles)], axis=1), axis=0)


@pytest.mark.parametrize(
    ("ratio", "seeds", "expected"),
    [
        ([0.5, 0.6], 50, "holds"),
        ([0.94, 0.96], 50, "fails: it is not true that momentum's path turns less between steps; its turning angle is"),
        ([1.3, 1.4], 50, "fails"),
        ([0.4, 1.4], 8, "inconclusive: undecided whether momentum's path turns less between steps"),
        ([0.5, 0.6], 5, "inconclusive"),
    ],
)
def test_a_path_with_noise_is_smoother_if_the_interval_over_seeds_shows_it(
    ratio: list[float], seeds: int, expected: str
) -> None:
    runs = []
    for label, times in {"sgd": [1, 1], "momentum": ratio, "momentum, a tenth of the rate": [1, 1]}.items():
        for seed in range(seeds):
            path = noisy(times[seed % 2] * 1.0, seed)
            loss = 1 + np.random.default_rng(seed + len(label)).random(100)
            runs.append(run(label, seed, position=path, loss=loss))
    assert verdict("noise-smoother", job(runs)).startswith(expected)


def test_too_much_momentum_overshoots_and_is_slow() -> None:
    def found(much: float) -> str:
        betas = {"sgd": 0.0, "momentum momentum=0.9": 0.9, "momentum momentum=0.99": much}
        return verdict("beta-099", job([on_the_ravine(label, 0.015, beta, 2500) for label, beta in betas.items()]))

    assert found(0.99) == "holds"
    assert found(0.8) == (
        "fails: it is not true that 0.99 overshoots more than 0.9, nor that 0.99 takes longer than 0.9"
    )


@pytest.mark.parametrize(
    ("updates", "expected"),
    [
        ([100, 95, 90, 80, 70, 60, 50, 40, 30, 20, 30, 60, 90], "holds"),
        ([100, 30, 28, 27, 26, 25, 24, 23, 22, 20, 30, 60, 90], "fails: less momentum"),
        ([100, 95, 99, 80, 70, 60, 50, 40, 30, 20, 30, 60, 90], "fails: less momentum"),
        ([20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140], "fails: less momentum"),
    ],
)
def test_a_small_momentum_loses_the_benefit_if_less_of_it_saves_less(updates: list[int], expected: str) -> None:
    runs = [
        run(label, optimizer={"lr": 0.015, "momentum": beta}, loss=np.where(np.arange(601) < count, 1.0, 0.0))
        for label in ("momentum", "fixed rate")
        for beta, count in zip(BETAS, updates, strict=True)
    ]
    assert verdict("beta-small", job(runs)).startswith(expected)


@pytest.mark.parametrize(
    ("constant", "scheduled", "rest", "expected"),
    [
        ([800, 800, 800, 700], [50] * 4, [750] * 4, "holds"),
        ([700] * 4, [50] * 4, [750] * 4, "fails: it is not true that the velocity of momentum 0.99 costs updates"),
        ([800] * 4, [50, 50, 50, 900], [750] * 4, "fails: it is not true that lowering β at the jump saves updates"),
    ],
)
def test_stale_velocity_costs_updates_compared_with_the_same_place_without_velocity(
    constant: list[int], scheduled: list[int], rest: list[int], expected: str
) -> None:
    def arriving(label: str, counts: list[int], shift: int = SHIFT_AT) -> list[object]:
        steps = np.arange(2401 + shift) - shift
        return [run(label, distance_to_minimum=np.where(steps < count, 3.0, 0.0)) for count in counts]

    moved = {"constant": constant, "scheduled": scheduled, "0.9 throughout": [60] * 4}
    runs = [one for label, counts in moved.items() for one in arriving(label, counts)]
    assert verdict("stale", job(runs), job(arriving("from rest", rest, 0))).startswith(expected)


def test_the_runs_without_velocity_start_where_the_minimum_jumped() -> None:
    starts = PRESETS["stale-still"].spec["problem"]["starts"]
    for start, place in zip(PRESETS["stale"].spec["problem"]["starts"], starts, strict=True):
        assert place == pytest.approx(heavy_ball(start, (2, 20), 0.015, 0.99, SHIFT_AT)[-1] - (3, 1), abs=1e-12)


def test_nesterov_slows_down_if_it_passes_the_minimum_by_less() -> None:
    def found(**nesterov: float) -> str:
        lr = nesterov.pop("lr", 0.015)
        ravine = [on_the_ravine("momentum", 0.015, 0.9), on_the_ravine("nesterov", lr, 0.9, **nesterov)]
        parabola = [
            on_the_parabola("momentum", 0.01, 0.9, 500),
            on_the_parabola("nesterov", 0.01, 0.9, 500, nesterov=True),
        ]
        return verdict("nesterov-corner", job(ravine), job(parabola))

    assert found(nesterov=True) == "holds"
    assert found(lr=0.02) == "holds if measured on the parabola"


@pytest.mark.parametrize(
    ("escaped", "expected"),
    [
        ([0, 0, 100, 150, 120], "holds"),
        ([0, 0, 0, 150, 120], "fails: it is not true that noise of 0.25 of the barrier helps"),
        ([0, 0, 12, 0, 120], "fails: it is not true that noise of 0.5 of the barrier helps"),
        ([0, 0, 24, 150, 120], "inconclusive: undecided whether noise of 0.25 of the barrier helps"),
        ([1, 0, 100, 150, 120], "fails"),
    ],
)
def test_noise_helps_if_clearly_more_seeds_escape_at_every_declared_level(escaped: list[int], expected: str) -> None:
    jobs = [
        job([run(seed=seed, position=[[0.9, 0.0], [-0.9 if seed < num else 0.9, 0.0]]) for seed in range(seeds)])
        for num, seeds in zip(escaped, (1, 200, 200, 200, 200), strict=True)
    ]
    assert verdict("noise-escapes", *jobs).startswith(expected)


def test_five_seeds_of_noise_decide_nothing() -> None:
    jobs = [job([run(seed=seed, position=[[-0.9, 0.0]]) for seed in range(5)]) for _ in TEMPERATURES]
    jobs[0] = job([run(position=[[0.9, 0.0]])])
    assert verdict("noise-escapes", *jobs).startswith("inconclusive: undecided whether noise of 0.25")


def test_starts_are_counted_without_an_interval() -> None:
    def found(sgd: int, momentum: int, late: int) -> tuple[str, list[object]]:
        ends = {"sgd": sgd, "momentum": momentum}
        wells = [
            run(label, position=[[0.9, 0.0], [-0.9 if start < num else 0.9, 0.0]])
            for label, num in ends.items()
            for start in range(100)
        ]
        leaves = {"sgd": 300, "momentum": late}
        saddle = [
            run(label, position=np.stack([np.zeros(401), np.where(np.arange(401) < at, 0.1, 2.0)], axis=1))
            for label, at in leaves.items()
        ]
        finding = LESSONS["momentum-escapes"].judge(
            {"momentum-escapes": job(wells), "momentum-escapes-saddle": job(saddle)}
        )
        return finding.verdict, [one.low for one in finding.quantities]

    holds, lows = found(0, 36, 70)
    assert holds == "holds"
    assert set(lows) == {None}
    assert found(36, 36, 70)[0].startswith("fails: it is not true that momentum crosses the local minimum from more")
    assert found(0, 36, 310)[0].startswith("fails: it is not true that momentum leaves the saddle earlier")


def test_one_start_that_misses_the_minimum_refutes_every() -> None:
    def found(last: float) -> str:
        ravine = [run(position=[[start, 1.0], [0.0, last if start == 9 else 0.0]]) for start in range(10)]
        minima = [(3.0, 2.0), (-2.805118086952745, 3.131312518250573)]
        himmelblau = [run(position=[[0.0, 0.0], minimum]) for minimum in minima]
        return verdict("convex-one-minimum", job(ravine), job(himmelblau))

    assert found(0.0) == "holds"
    assert found(0.1) == "fails: it is not true that from every start on the ravine the one minimum is reached"

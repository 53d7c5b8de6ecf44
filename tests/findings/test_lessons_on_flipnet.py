"""Verdicts of the lessons on FlipNet: the text's own targets, misses counted, and a bound that runs can refute."""

import numpy as np
import pytest

from service.findings.lessons import LESSONS
from service.findings.lessons.evidence import Evidence
from service.findings.lessons.finding import Finding
from service.findings.lessons.flipnet import FLOOR, STATED
from tests.findings.made import job, run


def half(fast: list[float], plain: list[float], stated: bool = True) -> Finding:
    """Judge runs that reach both targets after these epochs; each number is repeated over the 60 seeds in turn."""
    runs = []
    for label, times in {"sgd": plain, "momentum": fast}.items():
        for seed in range(60):
            steps = np.arange(31)
            loss = np.where(steps < times[seed % len(times)], 0.5, 0.01)
            train_loss = np.full(31, 0.3)
            for epoch, value in STATED[label].items():
                train_loss[epoch + 1] = value if stated else 0.7
            runs.append(run(label, seed, loss=loss, train_loss=train_loss))
    return LESSONS["flipnet-half"].judge({"flipnet-half": job(runs)})


def test_half_of_the_epochs_holds_for_the_seed_and_over_the_seeds() -> None:
    assert half([8, 9, 7], [20, 22, 18]).verdict == "holds"


def test_other_losses_than_the_texts_refute_the_numbers_alone() -> None:
    found = half([8, 9, 7], [20, 22, 18], stated=False)
    assert found.verdict.startswith("fails: it is not true that the six losses are those of seed 42; over all seeds")
    assert list(found.readings.values()) == [False, True, True, True, True]


def test_misses_of_momentum_cost_it_the_claim() -> None:
    """Seed 42 is fast; two of three seeds never arrive with momentum, all of them do with SGD."""
    readings = half([8, np.inf, np.inf], [20, 20.5, 21]).readings
    assert readings["with seed 42 momentum needs half of SGD's epochs to 0.18"] is True
    assert readings["over all seeds momentum needs half of SGD's epochs to 0.18"] is False


def test_a_ratio_around_two_is_undecided() -> None:
    found = half([2, 20, 10, 3], [20, 20, 8, 21])
    assert found.readings["over all seeds momentum needs half of SGD's epochs to 0.09"] is None


def test_nothing_is_known_about_the_seed_if_sgd_misses_and_momentum_is_late() -> None:
    name = "with seed 42 momentum needs half of SGD's epochs to 0.09"
    assert half([25], [np.inf]).readings[name] is None
    assert half([8], [np.inf]).readings[name] is True
    assert half([np.inf], [np.inf]).readings[name] is False


def test_five_seeds_make_no_claim_about_all_seeds() -> None:
    runs = [
        run(label, seed, loss=np.where(np.arange(31) < at + seed % 2, 0.5, 0.01), train_loss=np.zeros(31))
        for label, at in (("sgd", 20), ("momentum", 5))
        for seed in range(40, 45)
    ]
    readings = LESSONS["flipnet-half"].judge({"flipnet-half": job(runs)}).readings
    assert readings["over all seeds momentum needs half of SGD's epochs to 0.18"] is None


@pytest.mark.parametrize(
    ("lowest", "expected"),
    [(FLOOR, "holds"), (0.13, "holds"), (0.05, "fails: it is not true that no run is below 1/16, the bound of theory")],
)
def test_one_run_below_the_bound_refutes_it(lowest: float, expected: str) -> None:
    floor: Evidence = job([run("adam", loss=[0.4, lowest]), run("adam", 1, loss=[0.4, 0.2])])
    assert LESSONS["flipnet-floor"].judge({"flipnet-floor": floor}).verdict.startswith(expected)


def test_the_bound_is_the_variance_that_three_dimensions_leave() -> None:
    images = np.indices((2,) * 4).reshape(4, 16)
    spectrum = np.linalg.eigvalsh(np.cov(images, bias=True))
    assert spectrum[:1].sum() / 4 == pytest.approx(FLOOR)

"""Theory of a job: limits and rates of each setting, at the minimum that its runs reached."""

import math
from typing import Any

import numpy as np
import pytest

from service.analysis.rates import measured_rate
from service.findings.curvature import eigenvalues_at, is_quadratic
from service.findings.minimum import minimum_near
from service.findings.theory import Reached, job_theory
from service.spec.job import JobSpec
from service.spec.problems import Quadratic, Surface
from service.spec.surfaces import SURFACES
from worker.plan import plan


def spec(problem: dict[str, Any], *optimizers: dict[str, Any], epochs: int = 200, **more: Any) -> JobSpec:
    return JobSpec.model_validate({"problem": problem, "optimizers": list(optimizers), "epochs": epochs, **more})


def reached(job: JobSpec) -> list[Reached]:
    """Train all runs in this process."""
    from worker.engine.trainer import Trainer

    num = len(job.optimizers)
    trainer = Trainer(plan(job, 0, num))
    values_EFR = np.stack([epoch.values_FR for epoch in trainer.run()])
    at = {name: values_EFR[:, number] for number, name in enumerate(trainer.fields)}
    places = [at[name] for name in ("x", "y") if name in at]
    return [
        Reached(run, range(len(values_EFR)), at["loss"][:, run].tolist(), [float(p[-1, run]) for p in places] or None)
        for run in range(num)
    ]


RAVINE = {"kind": "surface", "name": "ravine"}


def test_on_the_ravine_theory_is_exact_and_every_setting_has_its_limit() -> None:
    result = job_theory(spec(RAVINE, {"kind": "sgd", "lr": [0.04, 0.11]}, {"kind": "nesterov", "lr": 0.05}))
    assert result["exact"]
    assert result["problem"]["condition_number"] == pytest.approx(10)
    assert [one["inside"] for one in result["settings"]] == [True, False, True]
    assert [one["lr_limit"] for one in result["settings"]] == pytest.approx([0.1, 0.1, 0.0678571], abs=5e-8)
    assert {one["kind"]: one["lr"] for one in result["problem"]["best"]} == pytest.approx(
        {"sgd": 0.0909091, "momentum": 0.1154431, "nesterov": 0.0645161}, abs=5e-8
    )


@pytest.mark.parametrize("problem", [RAVINE, {"kind": "quadratic", "eigenvalues": [1, 5, 30]}])
def test_the_measured_rate_is_the_predicted_one(problem: dict[str, Any]) -> None:
    job = spec(problem, {"kind": "sgd", "lr": 0.01}, {"kind": "momentum", "lr": 0.01}, {"kind": "nesterov", "lr": 0.02})
    for one in job_theory(job, reached(job))["settings"]:
        assert one["measured_rate"] == pytest.approx(one["rate"], abs=0.01)


def test_the_limit_is_that_of_the_minimum_which_was_reached() -> None:
    # The four minima of Himmelblau's function have different curvatures.
    starts = [[4, 4], [-4, 4], [-4, -4], [4, -4]]
    limits = set()
    for start in starts:
        job = spec({"kind": "surface", "name": "himmelblau", "start": start}, {"kind": "sgd", "lr": 0.01})
        (setting,) = job_theory(job, reached(job))["settings"]
        minima = SURFACES["himmelblau"].minima
        nearest = min(minima, key=lambda minimum: math.dist(minimum, setting["minimum"]))
        assert math.dist(nearest, setting["minimum"]) < 1e-6
        assert setting["measured_rate"] == pytest.approx(setting["rate"], abs=0.01)
        limits.add(round(setting["lr_limit"], 6))
    assert len(limits) == 4


def test_a_saddle_has_no_best_settings_and_no_setting_is_inside() -> None:
    result = job_theory(spec({"kind": "surface", "name": "saddle"}, {"kind": "sgd", "lr": 0.1}))
    assert result["problem"]["best"] == []
    assert (result["problem"]["smallest"], result["problem"]["largest"]) == pytest.approx((-2, 2))
    assert result["settings"][0]["inside"] is False
    assert result["settings"][0]["rate"] == pytest.approx(1.2)


def test_networks_and_other_methods_have_only_a_sharpness_ceiling() -> None:
    result = job_theory(spec({"kind": "flipnet"}, {"kind": "sgd", "lr": 0.05}, {"kind": "adam", "lr": 0.01}))
    assert [one["sharpness_ceiling"] for one in result["settings"]] == pytest.approx([40, 3800])
    assert all(one["lr_limit"] is None for one in result["settings"])
    assert result["problem"]["best"] == []


def test_a_scheduled_or_clipped_rate_is_not_judged_and_weight_decay_is() -> None:
    result = job_theory(
        spec(
            RAVINE,
            {"kind": "sgd", "lr": 0.05, "schedule": {"kind": "cosine"}},
            {"kind": "sgd", "lr": 0.05, "clip_norm": 1.0},
            {"kind": "sgd", "lr": 0.05, "weight_decay": 5.0},
        )
    )
    assert [one["lr_limit"] for one in result["settings"]] == pytest.approx([None, None, 0.08])


def test_with_noise_the_stationary_loss_is_given() -> None:
    noisy = spec({**RAVINE, "noise": 1.0}, {"kind": "sgd", "lr": 0.05})
    assert job_theory(noisy)["settings"][0]["stationary_loss"] == pytest.approx(0.0131579 + 10 * 0.05 / 20, abs=1e-6)
    full = spec({**RAVINE, "noise": 1.0}, {"kind": "sgd", "lr": 0.05}, batch_size="full")
    assert job_theory(full)["settings"][0]["stationary_loss"] is None


@pytest.mark.parametrize("name", [name for name, one in SURFACES.items() if one.minima and name not in ("ackley",)])
def test_from_next_to_a_known_minimum_that_minimum_is_found_with_positive_curvatures(name: str) -> None:
    problem = Surface.model_validate({"kind": "surface", "name": name})
    for minimum in SURFACES[name].minima:
        found = minimum_near(problem, [value + 1e-3 for value in minimum])
        assert found is not None
        assert math.dist(found[0], minimum) < 1e-6
        eigenvalues = eigenvalues_at(problem, minimum)
        assert eigenvalues is not None
        assert eigenvalues[0] > 0


def test_the_hessian_is_that_of_finite_differences() -> None:
    problem = Surface.model_validate({"kind": "surface", "expression": "x**3*y + sin(x*y)", "start": [1, 1]})
    x, y, h = 0.7, -1.3, 1e-4

    def f(x: float, y: float) -> float:
        return x**3 * y + math.sin(x * y)

    xx = (f(x + h, y) - 2 * f(x, y) + f(x - h, y)) / h**2
    yy = (f(x, y + h) - 2 * f(x, y) + f(x, y - h)) / h**2
    xy = (f(x + h, y + h) - f(x + h, y - h) - f(x - h, y + h) + f(x - h, y - h)) / (4 * h * h)
    found = eigenvalues_at(problem, [x, y])
    assert found == pytest.approx(np.linalg.eigvalsh([[xx, xy], [xy, yy]]).tolist(), abs=1e-5)


def test_only_landscapes_of_constant_curvature_are_quadratic() -> None:
    assert is_quadratic(Quadratic.model_validate({"kind": "quadratic", "eigenvalues": [1, 2]}))
    exact = {name: is_quadratic(Surface.model_validate({"kind": "surface", "name": name})) for name in SURFACES}
    assert {name for name in exact if exact[name]} == {"parabola", "slope", "ravine", "saddle", "booth", "matyas"}


def test_a_rate_is_not_measured_where_a_history_is_short_or_not_finite() -> None:
    assert measured_rate([0, 1, 2], [1.0, 0.5, 0.25]) is None
    assert measured_rate(range(40), [math.nan] * 40) is None
    assert measured_rate(range(40), [0.25**k for k in range(40)]) == pytest.approx(0.5)
    assert measured_rate([], []) is None


def test_a_rate_is_measured_above_the_rounding_errors_of_a_minimum_other_than_0() -> None:
    noise = np.random.default_rng(0).uniform(1e-14, 2e-14, 300)
    losses = [20 + 0.8**k + noise[k] for k in range(300)]
    assert measured_rate(range(300), losses, 20.0) == pytest.approx(math.sqrt(0.8), abs=0.01)

"""Theory with weight decay, noise, accumulation and moved landscapes, against runs of the engine."""

from typing import Any

import numpy as np
import pytest

from service.findings.theory import Reached, job_theory
from service.spec.job import JobSpec
from tests.findings.test_theory_of_jobs import spec
from worker.engine.trainer import Trainer
from worker.plan import plan

NUM_SEEDS = 2000
HIMMELBLAU = {"kind": "surface", "name": "himmelblau", "start": [4, 4]}
MOMENTUM = {"kind": "momentum", "lr": 0.01, "momentum": 0.5}
SETTINGS = [
    {"kind": "sgd", "lr": 0.02},
    {"kind": "momentum", "lr": 0.02, "momentum": 0.8, "dampening": 0.5},
    {"kind": "nesterov", "lr": 0.02, "momentum": 0.8},
    {"kind": "quasi_hyperbolic", "lr": 0.05, "momentum": 0.9, "nu": 0.6},
]


def train(job: JobSpec, num_runs: int) -> dict[str, np.ndarray]:
    """Train the first runs of a job in this process; each field is a matrix [recorded epochs, runs]."""
    trainer = Trainer(plan(job, 0, num_runs))
    values_EFR = np.stack([epoch.values_FR for epoch in trainer.run() if epoch.values_FR is not None])
    return {name: values_EFR[:, number] for number, name in enumerate(trainer.fields)}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("decay", [0.0, 3.0])
@pytest.mark.parametrize("setting", SETTINGS, ids=[one["kind"] for one in SETTINGS])
def test_runs_settle_at_the_predicted_loss(setting: dict[str, Any], decay: float) -> None:
    # Booth's minimum is (1, 3), so weight decay moves the point where runs settle.
    problem = {"kind": "surface", "name": "booth", "noise": 8.0, "start": [1, 3]}
    job = spec(
        problem,
        {**setting, "weight_decay": decay},
        epochs=300,
        batch_size=2,
        accumulate=3,
        seeds={"first": 0, "count": NUM_SEEDS},
        record_every=300,
    )
    losses = train(job, NUM_SEEDS)["loss"][-1]
    expected = job_theory(job)["settings"][0]["stationary_loss"]
    assert losses.mean() == pytest.approx(expected, abs=5 * losses.std() / np.sqrt(NUM_SEEDS))


@pytest.mark.parametrize("shift", [None, [1.0, -2.0]])
@pytest.mark.parametrize("problem", [HIMMELBLAU, {"kind": "surface", "name": "booth", "start": [4, 4]}])
def test_with_weight_decay_runs_end_at_the_predicted_minimum_with_the_predicted_rate(
    problem: dict[str, Any], shift: list[float] | None
) -> None:
    moves = {} if shift is None else {"shift_at": 20, "shift_by": shift}
    job = spec({**problem, **moves}, {**MOMENTUM, "weight_decay": 4.0}, epochs=120)
    fields = train(job, 1)
    path = np.stack([fields["x"][:, 0], fields["y"][:, 0]], axis=1)
    first = 0 if shift is None else 20
    path = path[first:] - (shift or [0.0, 0.0])
    run = Reached(0, range(first, 121), fields["loss"][first:, 0], path[-1].tolist(), path.tolist(), shift)
    (found,) = job_theory(job, [run])["settings"]
    assert found["minimum"] == pytest.approx(path[-1].tolist(), abs=1e-6)
    assert found["measured_rate"] == pytest.approx(found["rate"], abs=0.03)


def test_weight_decay_that_moves_the_minimum_needs_the_path_for_a_measured_rate() -> None:
    job = spec({"kind": "surface", "name": "booth"}, {"kind": "sgd", "lr": 0.02, "weight_decay": 2.0})
    run = Reached(0, range(100), [0.9**k for k in range(100)], [1.0, 2.0])
    assert job_theory(job, [run])["settings"][0]["measured_rate"] is None


def test_a_setting_with_weight_decay_is_stable_exactly_inside_its_limit() -> None:
    decay, problem = 6.0, {"kind": "surface", "name": "booth", "start": [4, 4]}
    limit = job_theory(spec(problem, {"kind": "sgd", "lr": 0.01, "weight_decay": decay}))["settings"][0]["lr_limit"]
    ends = [
        train(spec(problem, {"kind": "sgd", "lr": share * limit, "weight_decay": decay}, epochs=400), 1)["update_norm"]
        for share in (0.98, 1.02)
    ]
    assert ends[0][-1, 0] < 1e-2 < 1e2 < ends[1][-1, 0]


def test_the_reasons_for_missing_values_are_given() -> None:
    problem = {"kind": "surface", "name": "booth", "noise": 1.0}
    settings = job_theory(
        spec(
            problem,
            {"kind": "sgd", "lr": 0.01, "schedule": {"kind": "cosine"}},
            {"kind": "sgd", "lr": 0.01, "clip_norm": 1.0},
            {"kind": "lion", "lr": 0.01},
            {"kind": "adam", "lr": 0.01},
            {"kind": "sgd", "lr": 1.0},
        )
    )["settings"]
    words = ["schedule", "Clipping", "lion is not linear", "sharpness ceiling", "not stable"]
    for setting, word in zip(settings, words, strict=True):
        assert any(word in sentence for sentence in setting["notes"]), setting
        assert setting["stationary_loss"] is None


def test_theory_is_not_that_of_a_job_that_maximises() -> None:
    found = job_theory(spec({"kind": "surface", "name": "booth"}, {"kind": "sgd", "lr": 0.01, "maximize": True}))
    (setting,) = found["settings"]
    assert (setting["minimum"], setting["lr_limit"], setting["sharpness_ceiling"]) == (None, None, None)
    assert "maximises" in setting["notes"][0]
    assert found["problem"]["best"] == []
    assert "maximises" in found["problem"]["notes"][0]


def test_the_rate_of_other_methods_is_not_measured_where_weight_decay_moves_their_end() -> None:
    problem = {"kind": "surface", "name": "booth"}
    losses = [0.8**k for k in range(100)]
    for decay, is_measured in ((0.0, True), (0.5, False)):
        job = spec(problem, {"kind": "adamw", "lr": 0.01, "weight_decay": decay})
        (setting,) = job_theory(job, [Reached(0, range(100), losses, [1.0, 3.0])])["settings"]
        assert (setting["measured_rate"] is not None) == is_measured


def test_settings_that_differ_in_weight_decay_have_the_problem_without_it() -> None:
    found = job_theory(spec({"kind": "surface", "name": "ravine"}, {"kind": "sgd", "lr": 0.01, "weight_decay": [0, 1]}))
    assert found["problem"]["largest"] == pytest.approx(20)
    assert "differ in weight decay" in found["problem"]["notes"][0]

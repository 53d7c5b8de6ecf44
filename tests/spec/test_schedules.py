"""A schedule fits its job, or is rejected with its place and the limit."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from service.spec.job import JobSpec
from service.spec.runs import Runs
from service.spec.schedules import SCHEDULES
from worker.engine.trainer import Trainer
from worker.plan import plan


def spec(schedule: dict[str, Any], momentum_schedule: dict[str, Any] | None = None, **changes: Any) -> JobSpec:
    """FlipNet in batches of four for ten epochs: 40 updates."""
    entry = {"kind": "momentum", "lr": 0.1, "momentum": 0.8, "schedule": schedule}
    if momentum_schedule is not None:
        entry["momentum_schedule"] = momentum_schedule
    entry |= changes.pop("optimizer", {})
    job = {"problem": {"kind": "flipnet"}, "optimizers": [entry], "epochs": 10, "batch_size": 4} | changes
    return JobSpec.model_validate(job)


def course(given: JobSpec, num_steps: int = 40) -> dict[str, Any]:
    schedule = given.optimizers[0].schedule
    return {**schedule.parameters(num_steps), **schedule.warmup(num_steps)}


def test_omitted_parameters_follow_from_the_job() -> None:
    assert course(spec({"kind": "cosine"}))["decay_steps"] == 40
    assert course(spec({"kind": "polynomial", "warmup_steps": 15}))["decay_steps"] == 25
    assert course(spec({"kind": "polynomial", "per": "epoch"}), 10)["decay_steps"] == 10
    cycle = course(spec({"kind": "one_cycle"}))
    assert (cycle["warmup_steps"], cycle["decay_steps"]) == (11, 28)  # torch: 0.3 · 40 − 1, and 40 − 1 − 11.


@pytest.mark.parametrize(
    ("given", "stable", "decay"),
    [
        ({}, 36, 4),
        ({"warmup_steps": 10}, 26, 4),
        ({"stable_steps": 30}, 30, 10),
        ({"decay_steps": 15, "warmup_steps": 5}, 20, 15),
        ({"stable_steps": 5, "decay_steps": 10}, 5, 10),
    ],
)
def test_stable_and_decay_share_the_job(given: dict[str, int], stable: int, decay: int) -> None:
    found = course(spec({"kind": "warmup_stable_decay", **given}))
    assert (found["stable_steps"], found["decay_steps"]) == (stable, decay)


def test_every_schedule_can_be_posted_and_trained() -> None:
    required: dict[str, dict[str, Any]] = {
        "step": {"decay_steps": 4},
        "exponential": {"factor": 0.9},
        "piecewise": {"boundaries": [3], "factors": [0.5]},
    }
    for member in SCHEDULES:
        kind = member.model_json_schema()["properties"]["kind"]["const"]
        for per in ("update", "epoch"):
            given = spec({"kind": kind, "per": per, **required.get(kind, {})})
            assert JobSpec.model_validate(given.as_dict()) == given
            trainer = Trainer(plan(given, 0, 1))
            *_, last = trainer.run()
            assert last.values_FR is not None
            assert 0 <= last.values_FR[trainer.fields.index("lr"), 0] <= 0.1


def test_the_history_shows_the_rate_and_the_momentum_in_force() -> None:
    falling = {"kind": "step", "per": "epoch", "decay_steps": 3, "factor": 0.5}
    rising = {"kind": "piecewise", "boundaries": [8, 20], "factors": [1.125, 1.2]}
    trainer = Trainer(plan(spec(falling, rising), 0, 1))
    values = [epoch.values_FR[:, 0] for epoch in trainer.run() if epoch.values_FR is not None]
    rates = [value[trainer.fields.index("lr")] for value in values]
    momenta = [value[trainer.fields.index("momentum")] for value in values]
    # Each row has the values of the last update of its epoch: updates 3, 7, 11, …, counted from 0.
    np.testing.assert_allclose(rates[1:], [0.1] * 3 + [0.05] * 3 + [0.025] * 3 + [0.0125])
    np.testing.assert_allclose(momenta[1:], [0.8] * 2 + [0.9] * 3 + [0.96] * 5)


def test_runs_show_their_schedule() -> None:
    shown = Runs(spec({"kind": "cosine", "warmup_steps": 3}))[0].optimizer["schedule"]
    assert (shown["kind"], shown["warmup_steps"], shown["decay_steps"]) == ("cosine", 3, None)


TOO_LONG: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "constant", "warmup_steps": 41}, "warmup_steps", "at most 40"),
    ({"kind": "cosine", "decay_steps": 41}, "decay_steps", "at most 40"),
    ({"kind": "cosine", "decay_steps": 31, "warmup_steps": 10}, "decay_steps", "at most 30"),
    ({"kind": "cosine", "warmup_steps": 40}, "warmup_steps", "below 40"),
    ({"kind": "cosine", "decay_steps": 11, "per": "epoch"}, "decay_steps", "11 epochs and the job has 10"),
    ({"kind": "polynomial", "decay_steps": 100}, "decay_steps", "at most 40"),
    ({"kind": "step", "decay_steps": 50}, "decay_steps", "at most 40"),
    ({"kind": "exponential", "decay_steps": 50, "factor": 0.1}, "decay_steps", "at most 40"),
    ({"kind": "one_cycle", "warmup_steps": 20, "decay_steps": 21}, "decay_steps", "at most 20"),
    ({"kind": "one_cycle", "decay_steps": 41}, "decay_steps", "at most 40"),
    ({"kind": "warmup_stable_decay", "stable_steps": 50}, "stable_steps", "at most 40"),
    ({"kind": "warmup_stable_decay", "warmup_steps": 9, "stable_steps": 20, "decay_steps": 12}, "decay_steps", "11"),
    ({"kind": "piecewise", "boundaries": [4, 40], "factors": [0.5, 0.1]}, "boundaries", "at most 39"),
]  # fmt: skip


@pytest.mark.parametrize(("schedule", "field", "limit"), TOO_LONG, ids=[str(schedule) for schedule, _, _ in TOO_LONG])
def test_a_schedule_longer_than_the_job_is_refused(schedule: dict[str, Any], field: str, limit: str) -> None:
    with pytest.raises(ValidationError) as refused:
        spec(schedule)
    (error,) = refused.value.errors()
    assert error["loc"] == ("optimizers", 0, "schedule", field)
    assert limit in error["msg"]


@pytest.mark.parametrize(
    "lifting",
    [
        {"kind": "polynomial", "final_fraction": 1.25},
        {"kind": "one_cycle", "initial_fraction": 1.3, "final_fraction": 1.0},
        {"kind": "piecewise", "boundaries": [4], "factors": [1.25]},
        {"kind": "step", "decay_steps": 10, "factor": 1.1},
        {"kind": "exponential", "factor": 1.01},
        {"kind": "exponential", "factor": 1000},
        {"kind": "constant", "warmup_steps": 3, "initial_fraction": 2},
    ],
)
def test_a_schedule_that_would_raise_a_momentum_to_1_is_rejected(lifting: dict[str, Any]) -> None:
    for optimizer in ({}, {"momentum": {"from": 0.8, "to": 0.1, "num": 3}}, {"momentum": [0.1, 0.8]}):
        with pytest.raises(ValidationError) as refused:
            spec({"kind": "constant"}, lifting, optimizer=optimizer)
        (error,) = refused.value.errors()
        assert error["loc"] == ("optimizers", 0, "momentum_schedule")
        assert "below 1" in error["msg"]
    assert spec(lifting).optimizers[0].schedule.kind == lifting["kind"], "a rate may be lifted"


def test_a_momentum_schedule_needs_a_momentum() -> None:
    entry = {"kind": "adagrad", "lr": 0.1, "momentum_schedule": {"kind": "cosine"}}
    with pytest.raises(ValidationError, match="adagrad has no momentum") as refused:
        JobSpec.model_validate({"problem": {"kind": "flipnet"}, "optimizers": [entry], "epochs": 3})
    assert refused.value.errors()[0]["loc"] == ("optimizers", 0, "momentum_schedule")


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"kind": "sine"}, "one_cycle"),
        ({"kind": "cosine", "final_fraction": -0.1}, "greater than or equal to 0"),
        ({"kind": "cosine", "growth": 2}, "without restarts"),
        ({"kind": "cosine", "restarts": True}, "restarts need decay_steps"),
        ({"kind": "step"}, "required"),
        ({"kind": "step", "decay_steps": 0}, "at least 1|greater than or equal to 1"),
        ({"kind": "piecewise", "boundaries": [3, 3], "factors": [1, 1]}, "above the one before"),
        ({"kind": "piecewise", "boundaries": [3], "factors": [1, 1]}, "as many factors"),
        ({"kind": "cosine", "per": "second"}, "update"),
        ({"kind": "cosine", "steps": 3}, "not permitted"),
    ],
)
def test_an_invalid_schedule_is_rejected(schedule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        spec(schedule)

"""Theory of update rules that users write: that of the built-in kinds where they are equal, else that of the engine."""

from typing import Any

import numpy as np
import pytest

from service.findings.theory import job_theory
from tests.findings.test_theory_and_engine import NUM_SEEDS, train
from tests.findings.test_theory_of_jobs import spec

RAVINE = {"kind": "surface", "name": "ravine", "start": [5, 1]}
DECAYING = {"lr": 0.02, "weight_decay": 0.5}
# Each rule, and the same method built in.
TWINS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"lr": 0.02, "update": ["w = w - lr*g"]}, {"kind": "sgd", "lr": 0.02}),
    (
        {"lr": 0.02, "state": {"v": 0}, "parameters": {"beta": 0.8},
         "update": ["v = beta*v + where(t == 1, 1, 0.5)*g", "w = w - lr*v"]},
        {"kind": "momentum", "lr": 0.02, "momentum": 0.8, "dampening": 0.5},
    ),
    (
        {"lr": 0.02, "state": {"v": 0}, "parameters": {"beta": 0.8},
         "update": ["v = beta*v + g", "w = w - lr*(g + beta*v)"]},
        {"kind": "nesterov", "lr": 0.02, "momentum": 0.8},
    ),
    (
        {"lr": 0.05, "state": {"v": 0, "unused": 1}, "parameters": {"beta": 0.9, "nu": 0.6},
         "update": ["v = beta*v + (1 - beta)*g", "w = w - lr*((1 - nu)*g + nu*v)", "unused = 2*unused + w"]},
        {"kind": "quasi_hyperbolic", "lr": 0.05, "momentum": 0.9, "nu": 0.6},
    ),
]  # fmt: skip


def rule(**changes: Any) -> dict[str, Any]:
    return {"kind": "formula", "label": "rule", **changes}


def theory(entry: dict[str, Any], problem: dict[str, Any] = RAVINE, **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = job_theory(spec(problem, entry, **changes))["settings"][0]
    return found


@pytest.mark.parametrize(("written", "built_in"), TWINS, ids=[built_in["kind"] for _, built_in in TWINS])
def test_a_rule_has_the_theory_of_the_built_in_kind_that_it_equals(
    written: dict[str, Any], built_in: dict[str, Any]
) -> None:
    noisy = {**RAVINE, "noise": 0.5}
    changes = {"batch_size": 2, "accumulate": 3, "seeds": {"count": 6}}
    found, expected = (theory(entry, noisy, **changes) for entry in (rule(**written), built_in))
    for name in ("lr_limit", "inside", "rate", "oscillates", "sharpness_ceiling", "stationary_loss"):
        assert found[name] == pytest.approx(expected[name], rel=1e-9), name
    assert found["notes"] == []


@pytest.mark.slow
def test_random_rules_contract_as_predicted() -> None:
    """A method of two states that is not built in: the error after 400 updates, against the spectral radius."""
    for a, b, c in np.random.default_rng(3).uniform(0.1, 0.8, (5, 3)):
        entry = rule(
            lr=0.01,
            state={"u": 0, "v": 0},
            parameters={"a": a, "b": b, "c": c},
            update=["u = a*u + g", "v = b*v + c*u", "w = w - lr*(u + v)"],
        )
        predicted = theory(entry)["rate"]
        losses = train(spec(RAVINE, entry, epochs=400, dtype="float64"), 1)["loss"][:, 0]
        if losses[-1] > 1e-280:
            measured = (losses[400] / losses[300]) ** (1 / 200)
            assert measured == pytest.approx(predicted, rel=0.02)


def test_runs_are_stable_below_the_limit_and_grow_above_it() -> None:
    written = {"state": {"m": 0}, "update": ["m = 0.7*m + 0.3*g", "w = w - lr*(m + 0.2*g)"]}
    limit = theory(rule(lr=0.01, **written))["lr_limit"]
    for factor, grows in ((0.98, False), (1.02, True)):
        losses = train(spec(RAVINE, rule(lr=limit * factor, **written), epochs=800, dtype="float64"), 1)["loss"][:, 0]
        assert bool(losses[-1] > losses[len(losses) // 2]) == grows


def test_a_rule_that_draws_numbers_settles_at_the_predicted_loss() -> None:
    entry = rule(lr=0.02, state={"v": 0}, update=["v = 0.6*v + g + 0.3*normal", "w = w - lr*v"])
    changes = {"epochs": 300, "record_every": 300, "batch_size": 1}
    job = spec({**RAVINE, "noise": 0.4}, entry, seeds={"first": 0, "count": NUM_SEEDS}, **changes)
    losses = train(job, NUM_SEEDS)["loss"][-1]
    expected = job_theory(job)["settings"][0]["stationary_loss"]
    assert losses.mean() == pytest.approx(expected, abs=5 * losses.std() / np.sqrt(NUM_SEEDS))


@pytest.mark.parametrize(
    "update", [["w = w - lr*sign(g)"], ["w = w - lr*g/t"], ["w = w - lr*g*w"], ["w = w - lr*g/norm(g)"]]
)
def test_rules_that_are_not_linear_say_so(update: list[str]) -> None:
    found = theory(rule(lr=0.01, update=update))
    assert found["lr_limit"] is None
    assert found["rate"] is None
    assert "The update rule is not linear in w, g and its states with constant factors" in found["notes"][0]


def test_a_rule_that_shrinks_w_settles_elsewhere_and_says_so() -> None:
    entry = rule(lr=0.02, update=["w = w - lr*(g + 0.5*w)"])
    found = theory(entry, {"kind": "surface", "name": "booth", "start": [1, 3], "noise": 1.0}, seeds={"count": 6})
    assert found["rate"] == pytest.approx(1 - 0.02 * 2.5)
    assert found["stationary_loss"] is None
    assert "runs settle at a point of their own" in found["notes"][0]

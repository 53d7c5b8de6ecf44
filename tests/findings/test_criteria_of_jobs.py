"""Criteria of comparisons over HTTP: test metrics, maximised losses, diverged runs, offsets."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.findings.comparison.words import number
from tests.completed import run_job
from tests.findings.compared import compare, settings

pytestmark = pytest.mark.databases("sqlite")


def test_test_metrics_judge_first_and_the_training_loss_is_told_too(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "digits", "model": "mlp"},
        "optimizers": [{"kind": "adam", "lr": 0.003}, {"kind": "sgd", "lr": 0.01}],
        "seeds": {"count": 6},
        "epochs": 2,
    }
    found = compare(client, run_job(client, spec))
    assert found["criterion"]["name"] == "test_loss"
    assert {"final_loss", "test_accuracy"} <= {other["name"] for other in found["other_criteria"]}
    adam = settings(found)["adam"]
    assert adam["test_loss"]["num"] == adam["final_loss"]["num"] == 6
    declared = compare(client, run_job(client, {**spec, "criterion": "test_accuracy", "epochs": 1}))
    assert (declared["criterion"]["name"], declared["criterion"]["declared"]) == ("test_accuracy", True)
    asked = compare(client, run_job(client, {**spec, "epochs": 1}), criterion="test_accuracy")
    assert asked["criterion"]["declared"] is False
    assert asked["verdict"] == declared["verdict"]


def test_maximising_turns_every_order_round(client: httpx.Client) -> None:
    def spec(formula: str, *, maximize: bool) -> dict[str, Any]:
        return {
            "problem": {"kind": "surface", "expression": formula, "starts": {"random": 1}},
            "optimizers": [
                {"kind": "sgd", "lr": 0.05, "maximize": maximize},
                {"kind": "momentum", "lr": 0.05, "maximize": maximize},
                {"label": "slow", "kind": "sgd", "lr": 0.001, "maximize": maximize},
            ],
            "seeds": {"count": 20},
            "epochs": 20,
        }

    up = compare(client, run_job(client, spec("-x**2 - y**2", maximize=True)))
    down = compare(client, run_job(client, spec("x**2 + y**2", maximize=False)))
    assert up["criterion"]["larger_is_better"] is True
    assert up["best"] == down["best"]
    for one, other in zip(up["ranks"], down["ranks"], strict=True):
        assert [one[name] for name in ("label", "low", "high")] == [other[name] for name in ("label", "low", "high")]
        assert one["value"] == pytest.approx(-other["value"])
    assert up["ranks"][-1]["label"] == "slow"
    for one, other in zip(up["pairs"], down["pairs"], strict=True):
        assert one["difference"] == pytest.approx(-other["difference"])
        assert one["p"] == pytest.approx(other["p"])
    assert up["target"]["loss"] == pytest.approx(-down["target"]["loss"])
    speeds = [settings(of)["momentum"]["against_baseline"]["speed_up"] for of in (up, down)]
    assert speeds[0]["ratio"] == pytest.approx(speeds[1]["ratio"])
    assert [speeds[0][name] for name in ("wins", "losses", "ties")] == [
        speeds[1][name] for name in ("wins", "losses", "ties")
    ]


def test_diverged_runs_count_as_the_untrained_start(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine", "noise": 1.0},
        "optimizers": [{"kind": "sgd", "lr": 0.01}, {"label": "out", "kind": "sgd", "lr": 1.0}],
        "seeds": {"count": 8},
        "epochs": 60,
    }
    job_id = run_job(client, spec)
    found = compare(client, job_id)
    runs = client.get(f"/v1/jobs/{job_id}/runs", params={"label": "sgd"}).json()["items"]
    expected = np.mean([np.log(run["final_loss"] / 65) for run in runs])
    assert found["criterion"]["untrained"] == 65
    assert found["pairs"][0]["difference"] == pytest.approx(expected)
    assert found["best"] == ["sgd"]


def test_a_loss_below_the_scale_is_a_bound_in_the_verdict_and_itself_in_the_table(client: httpx.Client) -> None:
    surface = {"kind": "surface", "name": "himmelblau", "start": [2.5, 2.5]}
    optimizers = [{"kind": "sgd", "lr": 0.01}, {"kind": "momentum", "lr": 0.001, "momentum": 0.1}]
    found = compare(client, run_job(client, {"problem": surface, "optimizers": optimizers, "epochs": 200}))
    measured = settings(found)["sgd"]["final_loss"]["median"]["value"]
    floor = 1e-12 * (2.5**2 + 2.5 - 11) ** 2 + 1e-12 * (2.5 + 2.5**2 - 7) ** 2
    assert measured < floor / 1000
    assert f"SGD ended at a loss of at most {number(floor)}, Momentum at" in found["verdict"]
    assert "Momentum at at most" not in found["verdict"]


def test_the_offset_of_a_loss_changes_no_band_of_rates(client: httpx.Client) -> None:
    def job(expression: str) -> dict[str, Any]:
        return {
            "problem": {"kind": "surface", "expression": expression, "start": [5, 2]},
            "optimizers": [{"kind": "sgd", "lr": [0.001, 0.01, 0.02, 0.05]}],
            "epochs": 50,
        }

    for expression in ("x**2 + 10*y**2", "x**2 + 10*y**2 + 1000"):
        found = compare(client, run_job(client, job(expression)))
        rates = found["labels"][0]["tuning"]["learning_rates"]
        assert (rates["low"], rates["high"], rates["decades"]) == (None, None, None)

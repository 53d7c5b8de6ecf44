"""Chapter 4. A comparison pairs runs of equal seed, gives each number an interval, and sums up in one sentence."""

from typing import Any

import httpx
import pytest

from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

SPEC: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": 0.05},
        {"label": "momentum", "kind": "momentum", "lr": 0.05, "momentum": 0.9},
    ],
    "seeds": {"first": 0, "count": 20},
    "epochs": 30,
}


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> dict[str, Any]:
    """The answer for the job above: does momentum reach a loss of 0.2 sooner than SGD?"""
    with stack.client() as client:
        job = wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])
        query = {"baseline": "sgd", "target": 0.2}
        answer: dict[str, Any] = client.get(f"/v1/jobs/{job['id']}/comparison", params=query).raise_for_status().json()
        return answer


def against_sgd(comparison: dict[str, Any]) -> dict[str, Any]:
    (momentum,) = next(label for label in comparison["labels"] if label["label"] == "momentum")["settings"]
    found: dict[str, Any] = momentum["against_baseline"]
    return found


def test_momentum_reaches_the_target_in_fewer_epochs_than_sgd(comparison: dict[str, Any]) -> None:
    speed_up = against_sgd(comparison)["speed_up"]["ratio"]
    # The interval contains the true ratio in about 95 of 100 such experiments; the whole interval lies above 1.
    assert 1 < speed_up["low"] <= speed_up["value"] <= speed_up["high"]


def test_a_difference_whose_interval_holds_zero_decides_nothing(comparison: dict[str, Any]) -> None:
    difference = against_sgd(comparison)["final_loss_difference"]["mean"]
    assert difference["low"] < 0 < difference["high"]
    assert "cannot be told apart" in comparison["verdict"]


def test_the_verdict_says_it_in_one_sentence_with_its_numbers(comparison: dict[str, Any]) -> None:
    assert "momentum" in comparison["verdict"]
    assert "95 % interval" in comparison["verdict"]
    assert "20 pairs of runs" in comparison["verdict"]


def test_a_single_seed_has_no_interval_and_the_answer_warns(client: httpx.Client) -> None:
    job = wait_for_job(client, client.post("/v1/jobs", json={**SPEC, "seeds": [7]}).json()["id"])
    answer = client.get(f"/v1/jobs/{job['id']}/comparison", params={"baseline": "sgd"}).json()
    (sgd,) = answer["labels"][0]["settings"]
    assert sgd["final_loss"]["median"]["low"] is None
    assert answer["warnings"] != []

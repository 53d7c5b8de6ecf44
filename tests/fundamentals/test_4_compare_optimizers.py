"""Chapter 4. A comparison judges optimizers by seeds: intervals that hold at once, and one sentence that claims."""

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
    # What counts is declared before there are results.
    "criterion": "epochs_to_target",
    "target_loss": 0.3,
}


def compare(client: httpx.Client, spec: dict[str, Any], **query: Any) -> dict[str, Any]:
    job = wait_for_job(client, client.post("/v1/jobs", json=spec).json()["id"])
    found: dict[str, Any] = client.get(f"/v1/jobs/{job['id']}/comparison", params=query).raise_for_status().json()
    return found


@pytest.fixture(scope="module")
def comparison(stack: Stack) -> dict[str, Any]:
    """The answer for the job above: does momentum reach a loss of 0.3 in fewer epochs than SGD?"""
    with stack.client() as client:
        return compare(client, SPEC)


def test_the_ratio_of_two_optimizers_has_an_interval_over_seeds(comparison: dict[str, Any]) -> None:
    (pair,) = comparison["pairs"]
    assert (pair["a"], pair["b"], pair["seeds"]) == ("sgd", "momentum", 20)
    # The interval contains the true ratio in about 95 of 100 such experiments; the whole interval lies above 1.
    assert 1 < pair["ratio_low"] <= pair["ratio"] <= pair["ratio_high"]


def test_an_optimizer_whose_interval_excludes_no_difference_is_the_best_one(comparison: dict[str, Any]) -> None:
    assert comparison["best"] == ["momentum"]
    ranks = [(rank["label"], rank["low"], rank["high"]) for rank in comparison["ranks"]]
    assert ranks == [("momentum", 1, 1), ("sgd", 2, 2)]


def test_the_verdict_says_it_in_one_sentence_with_its_numbers(comparison: dict[str, Any]) -> None:
    assert comparison["verdict"].startswith("Momentum needed ")
    assert "95 %: " in comparison["verdict"]
    assert "20 seeds" in comparison["verdict"]


def test_another_criterion_may_not_tell_the_optimizers_apart(comparison: dict[str, Any]) -> None:
    assert comparison["criterion"]["declared"]
    (final,) = [other for other in comparison["other_criteria"] if other["name"] == "final_loss"]
    assert final["best"] == ["sgd", "momentum"]
    assert "cannot be told apart" in final["verdict"]


def test_verdict_and_ranks_do_not_depend_on_the_order_of_the_optimizers(
    client: httpx.Client, comparison: dict[str, Any]
) -> None:
    turned = compare(client, {**SPEC, "optimizers": SPEC["optimizers"][::-1]})
    for part in ("verdict", "best", "ranks"):
        assert turned[part] == comparison[part]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(("count", "claims"), [(1, False), (5, False), (6, True)])
def test_six_seeds_are_the_fewest_that_give_an_interval(client: httpx.Client, count: int, claims: bool) -> None:
    answer = compare(client, {**SPEC, "seeds": {"count": count}})
    (pair,) = answer["pairs"]
    assert (pair["low"] is not None) is claims
    assert ("Use at least 6 seeds." in answer["verdict"]) is not claims
    assert ("few_seeds" in [warning["code"] for warning in answer["warnings"]]) is not claims


def test_equal_histories_are_one_replicate_however_many_seeds_the_job_has(client: httpx.Client) -> None:
    # Without noise a seed changes nothing on a surface with a fixed start.
    spec = {**SPEC, "problem": {"kind": "surface", "name": "ravine", "start": [5, 2]}}
    answer = compare(client, spec)
    assert (answer["seeds"], answer["replicates"]) == (20, 1)
    assert answer["best"] == ["sgd", "momentum"]
    assert "nothing random" in answer["verdict"]

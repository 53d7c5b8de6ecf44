"""Comparison across jobs: problems are the replicates, targets are fixed, and equal runs count once."""

import itertools
from typing import Any

import httpx
import numpy as np
import pytest

from tests.servers import wait_for_job

pytestmark = pytest.mark.databases("postgresql")

SLOW = {"label": "slow", "kind": "sgd", "lr": 0.01}
FAST = {"label": "fast", "kind": "sgd", "lr": 0.04}
TUNED = {"label": "tuned", "kind": "momentum", "lr": [0.001, 0.01, 0.02]}
OPTIMIZERS = [SLOW, FAST]
STARTS = [[1, 1], [2, 1], [1, 3]]


def run_job(
    client: httpx.Client, eigenvalues: list[float], optimizers: list[dict[str, Any]], noise: float = 0, **more: Any
) -> str:
    spec = {
        "problem": {"kind": "quadratic", "eigenvalues": eigenvalues, "starts": STARTS, "noise": noise},
        "optimizers": optimizers,
        "epochs": 200,
        **more,
    }
    job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    assert wait_for_job(client, job_id)["status"] == "completed"
    return job_id


def compare(client: httpx.Client, jobs: list[str], **query: Any) -> dict[str, Any]:
    answer = client.get("/v1/comparison", params={"jobs": ",".join(jobs), **query})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def codes(found: dict[str, Any]) -> set[str]:
    return {warning["code"] for warning in found["warnings"]}


def seeds(first: int, count: int) -> dict[str, int]:
    return {"first": first, "count": count}


def numbers(found: dict[str, Any]) -> dict[str, Any]:
    """The answer without the ids and names of jobs."""
    problems = [{name: value for name, value in one.items() if name != "jobs"} for one in found["problems"]]
    left_out = ("jobs", "problems", "warnings")
    return {**{name: value for name, value in found.items() if name not in left_out}, "problems": problems}


def test_the_faster_label_has_the_profile_and_the_runtimes_of_the_faster(client: httpx.Client) -> None:
    jobs = [run_job(client, values, OPTIMIZERS, target_loss=0.01) for values in ([2.0, 20.0], [4.0, 10.0])]
    found = compare(client, jobs)
    assert [job["instances"] for job in found["jobs"]] == [3, 3]
    assert {one["least_loss_source"] for one in found["problems"]} == {"minimum"}
    assert {(one["target"]["loss"], one["target"]["source"]) for one in found["problems"]} == {(0.01, "spec")}
    fast, slow = found["labels"]
    assert (fast["label"], slow["label"]) == ("fast", "slow")
    assert fast["profile"]["share"] == pytest.approx([1.0] * len(found["profile_ratios"]))
    assert fast["score"]["value"] == pytest.approx(1.0)
    # A quarter of the rate needs about four times the updates, a little more as the steps are not small.
    assert slow["profile"]["share"][0] == 0
    assert slow["score"]["value"] < 0.2
    assert slow["solved"] == pytest.approx(1.0)
    assert len(found["precisions"]) == 51
    for label in found["labels"]:
        share = label["runtimes"]["share"]
        assert share == pytest.approx(sorted(share), rel=1e-12)
        # Precisions that the start has are left out.
        assert share[0] < 4 / 40
    assert all(s <= f + 1e-12 for s, f in zip(slow["runtimes"]["share"], fast["runtimes"]["share"], strict=True))


def test_jobs_without_a_label_in_common_are_refused_with_their_labels(client: httpx.Client) -> None:
    jobs = [run_job(client, [1.0, 2.0], OPTIMIZERS[:1]), run_job(client, [1.0, 2.0], OPTIMIZERS[1:])]
    answer = client.get("/v1/comparison", params={"jobs": ",".join(jobs)})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["query", "jobs"]
    assert "slow" in error["msg"]
    assert "fast" in error["msg"]
    assert client.get("/v1/comparison", params={"jobs": f"{jobs[0]},0"}).status_code == 404
    assert client.get("/v1/comparison", params={"jobs": ","}).status_code == 422
    answer = client.get("/v1/comparison", params={"jobs": jobs[0], "target": 1e9})
    assert answer.json()["errors"][0]["loc"] == ["query", "target"]


@pytest.mark.slow
def test_the_order_of_jobs_changes_no_byte(client: httpx.Client) -> None:
    jobs = [
        run_job(client, [2.0, 20.0], OPTIMIZERS, noise=0.1, seeds=seeds(0, 4)),
        run_job(client, [2.0, 20.0], OPTIMIZERS[::-1], noise=0.1, seeds=seeds(2, 4)),
        run_job(client, [1.0, 10.0], OPTIMIZERS),
    ]
    answers = {
        client.get("/v1/comparison", params={"jobs": ",".join(order)}).raise_for_status().content
        for order in itertools.permutations(jobs)
    }
    assert len(answers) == 1


@pytest.mark.slow
def test_a_competitor_of_one_job_changes_nothing(client: httpx.Client) -> None:
    options: dict[str, Any] = {"noise": 0.1, "seeds": seeds(0, 6), "name": "first"}
    other = run_job(client, [1.0, 10.0], [TUNED, SLOW, FAST], noise=0.1, seeds=seeds(0, 5), name="other")
    without = run_job(client, [2.0, 20.0], [SLOW, TUNED], **options)
    # Better than all others, and first.
    rivals = [{"label": "rival", "kind": "momentum", "lr": [0.02, 0.03]}, {"label": "far", "kind": "sgd", "lr": 5.0}]
    beside = run_job(client, [2.0, 20.0], [rivals[0], TUNED, SLOW, rivals[1]], **options)
    found, again = compare(client, [without, other]), compare(client, [other, beside])
    assert [label["label"] for label in found["labels"]] == ["slow", "tuned"]
    assert numbers(again) == numbers(found)
    assert again["warnings"] == found["warnings"]
    assert "few_seeds" in codes(found)


@pytest.mark.slow
def test_the_same_spec_counts_once_however_often_it_was_run(client: httpx.Client) -> None:
    jobs = [
        run_job(client, [3.0, 30.0], OPTIMIZERS, noise=0.1, seeds=seeds(0, 6), name=f"run {number}")
        for number in range(4)
    ]
    once, often = compare(client, jobs[:1]), compare(client, jobs)
    assert numbers(often) == numbers(once)
    assert often["replicates"] == 1
    (warning,) = [one["sentence"] for one in often["warnings"] if one["code"] == "same_spec_twice"]
    assert all(job in warning for job in jobs)
    assert sorted(job["counted_seeds"] for job in often["jobs"]) == [0, 0, 0, 6]
    assert numbers(compare(client, jobs[:1] * 4)) == numbers(once)


@pytest.mark.slow
def test_seeds_that_two_jobs_of_a_problem_share_count_once(client: httpx.Client) -> None:
    options: dict[str, Any] = {"noise": 0.1}
    halves = [
        run_job(client, [3.0, 30.0], OPTIMIZERS, seeds=seeds(0, 8), **options),
        run_job(client, [3.0, 30.0], [FAST, SLOW, TUNED], seeds=seeds(4, 8), record_every=1, **options),
    ]
    whole = run_job(client, [3.0, 30.0], OPTIMIZERS, seeds=seeds(0, 12), **options)
    found = compare(client, halves)
    assert found["problems"][0]["seeds"] == 12
    assert sum(job["counted_seeds"] for job in found["jobs"]) == 12
    assert numbers(found) == numbers(compare(client, [whole]))
    assert "seeds_repeat_across" in codes(found)
    # All three show the same twelve seeds.
    assert numbers(compare(client, [*halves, whole])) == numbers(found)


def test_without_noise_another_seed_of_the_same_problem_is_no_new_evidence(client: httpx.Client) -> None:
    jobs = [run_job(client, [3.0, 30.0], OPTIMIZERS, seeds=[seed]) for seed in (0, 1)]
    found = compare(client, jobs)
    assert (found["replicates"], found["problems"][0]["seeds"]) == (1, 1)
    assert {"seeds_repeat_across", "few_problems"} <= codes(found)
    assert found["labels"][0]["score"]["low"] is None
    assert found["labels"][0]["profile"]["low"] is None


def test_few_problems_claim_nothing(client: httpx.Client) -> None:
    jobs = [run_job(client, [1.0, 5.0 * number], OPTIMIZERS) for number in (1, 2, 3)]
    found = compare(client, jobs)
    assert found["verdict"] == (
        "3 problems: too few for a conclusion about others. fast needed fewest epochs on 3 of 3. "
        "Use at least 6 problems."
    )
    assert found["best"] == ["fast", "slow"]
    assert [(one["low"], one["high"]) for one in found["ranks"]] == [(1, 2), (1, 2)]
    (pair,) = found["pairs"]
    assert (pair["problems"], pair["low"], pair["high"], pair["p"]) == (3, None, None, None)
    assert "few_problems" in codes(found)
    assert found["labels"][0]["profile"]["low"] is not None
    assert [one["fewest"] for one in found["problems"]] == [["fast"]] * 3


@pytest.mark.slow
def test_eight_problems_name_a_clear_winner(client: httpx.Client) -> None:
    crawl = {"label": "crawl", "kind": "sgd", "lr": 0.001}
    jobs = [run_job(client, [1.0, 5.0 + 4 * number], [crawl, *OPTIMIZERS]) for number in range(8)]
    found = compare(client, jobs)
    assert found["verdict"].startswith("fast is best over 8 problems; slow follows (")
    assert found["best"] == ["fast"]
    assert [one["label"] for one in found["ranks"]] == ["fast", "slow", "crawl"]
    assert [(one["low"], one["high"]) for one in found["ranks"]] == [(1, 1), (2, 2), (3, 3)]
    pair = next(one for one in found["pairs"] if (one["a"], one["b"]) == ("fast", "slow"))
    # The geometric mean over problems of the ratios of epochs, each the mean of 51 − 11 targets and three starts.
    epochs = [{label["label"]: label["epochs"] for label in one["labels"]} for one in found["problems"]]
    assert pair["ratio"] == pytest.approx(np.exp(np.mean([np.log(one["fast"] / one["slow"]) for one in epochs])))
    assert pair["ratio_high"] < 1
    assert pair["differs"]
    assert found["ranks"][0]["value"] == pytest.approx(np.exp(np.mean([np.log(one["fast"] / 200) for one in epochs])))
    assert not codes(found) & {"few_problems", "no_known_least_loss"}
    assert {one["target"]["source"] for one in found["problems"]} == {"precisions"}
    again = compare(client, jobs, target=0.1)
    assert {one["target"]["source"] for one in again["problems"]} == {"query"}
    for one in again["problems"]:
        shares = {label["label"]: label["solved"] for label in one["labels"]}
        assert shares["fast"] >= shares["slow"] >= shares["crawl"]


def test_times_to_the_ladder_are_those_of_the_histories(client: httpx.Client) -> None:
    job = run_job(client, [1.0, 10.0], [SLOW], record_every=3)
    found = compare(client, [job])
    logs = []
    for run in client.get(f"/v1/jobs/{job}/metrics", params={"max_points": 10_000}).json()["runs"]:
        epochs, losses = np.array(run["epoch"]), np.array(run["loss"])
        for power in np.linspace(2, -8, 51)[11:]:
            hits = epochs[losses <= 10**power * losses[0]]
            logs.append(np.log((hits[0] if len(hits) else 200) / 200))
    (label,) = found["problems"][0]["labels"]
    assert label["epochs"] == pytest.approx(200 * np.exp(np.mean(logs)))


@pytest.mark.slow
def test_limits_of_the_evidence_are_warned_of(client: httpx.Client) -> None:
    formula = {"problem": {"kind": "surface", "expression": "x**4 - x + y**2", "start": [1.0, 1.0]}, "epochs": 50}
    body = {**formula, "optimizers": [{"label": "slow", "kind": "momentum", "lr": 0.001}, FAST], "name": "formula"}
    unknown = str(client.post("/v1/jobs", json=body).raise_for_status().json()["id"])
    assert wait_for_job(client, unknown)["status"] == "completed"
    jobs = [unknown, run_job(client, [1.0, 2.0], OPTIMIZERS), run_job(client, [1.0, 2.0], OPTIMIZERS, epochs=100)]
    found = compare(client, jobs)
    assert {"no_known_least_loss", "kinds_differ", "related_problems", "few_problems", "few_seeds"} <= codes(found)
    (sentence,) = [one["sentence"] for one in found["warnings"] if one["code"] == "no_known_least_loss"]
    assert sentence.startswith("formula: ")
    assert {one["least_loss_source"] for one in found["problems"]} == {"minimum", "smallest_recorded"}

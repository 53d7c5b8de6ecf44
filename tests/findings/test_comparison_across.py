"""Comparison across jobs: performance profiles and runtime distributions."""

from typing import Any

import httpx
import pytest

from tests.servers import wait_for_job

OPTIMIZERS = [{"label": "slow", "kind": "sgd", "lr": 0.01}, {"label": "fast", "kind": "sgd", "lr": 0.04}]


def run_job(client: httpx.Client, eigenvalues: list[float], optimizers: list[dict[str, Any]]) -> str:
    spec = {
        "problem": {"kind": "quadratic", "eigenvalues": eigenvalues, "starts": [[1, 1], [2, 1], [1, 3]]},
        "optimizers": optimizers,
        "epochs": 200,
        "target_loss": 0.01,
    }
    job_id = str(client.post("/v1/jobs", json=spec).raise_for_status().json()["id"])
    assert wait_for_job(client, job_id)["status"] == "completed"
    return job_id


def test_the_faster_label_has_the_profile_and_the_runtimes_of_the_faster(client: httpx.Client) -> None:
    jobs = [run_job(client, eigenvalues, OPTIMIZERS) for eigenvalues in ([2.0, 20.0], [4.0, 10.0])]
    answer = client.get("/v1/comparison", params={"jobs": ",".join(jobs)})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert [job["instances"] for job in found["jobs"]] == [3, 3]
    assert {job["least_loss_source"] for job in found["jobs"]} == {"minimum"}
    slow, fast = found["labels"]
    assert (slow["label"], fast["label"]) == ("slow", "fast")
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
        # 11 of the 51 precisions are met by the start.
        assert share[0] > 11 / 51 - 1e-9
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

"""Chapter 5. A list or range of a hyper-parameter makes a grid of settings, which are compared with each other."""

from typing import Any

import httpx
import pytest

from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [
        {"label": "sgd", "kind": "sgd", "lr": {"from": 0.005, "to": 0.08, "num": 5, "scale": "log"}},
        {"label": "momentum", "kind": "momentum", "lr": [0.005, 0.02, 0.08], "momentum": [0.5, 0.9]},
    ],
    "seeds": {"first": 0, "count": 6},
    "epochs": 30,
}


@pytest.fixture(scope="module")
def job_id(stack: Stack) -> str:
    with stack.client() as client:
        return str(wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])["id"])


def test_every_setting_runs_with_every_seed(client: httpx.Client, job_id: str) -> None:
    # Five rates of SGD, and three rates times two momenta.
    assert client.get(f"/v1/jobs/{job_id}").json()["progress"]["runs_total"] == (5 + 3 * 2) * 6


def test_a_range_on_a_logarithmic_scale_has_equal_ratios(client: httpx.Client, job_id: str) -> None:
    rates = {
        run["optimizer"]["lr"]
        for run in client.get(f"/v1/jobs/{job_id}/runs", params={"label": "sgd", "limit": 500}).json()["items"]
    }
    assert sorted(rates) == pytest.approx([0.005, 0.01, 0.02, 0.04, 0.08])


def test_the_heat_map_has_the_median_final_loss_of_each_setting(client: httpx.Client, job_id: str) -> None:
    query = {"label": "momentum", "value": "final_loss", "x": "lr", "y": "momentum"}
    found = client.get(f"/v1/jobs/{job_id}/grid", params=query).raise_for_status().json()
    assert found["x"]["values"] == [0.005, 0.02, 0.08]
    assert found["y"]["values"] == [0.5, 0.9]
    assert found["runs_per_setting"] == 6
    picture = client.get(f"/v1/jobs/{job_id}/plot.svg", params={"kind": "heatmap", "label": "momentum"})
    assert picture.headers["Content-Type"].startswith("image/svg+xml")


def test_tuned_settings_are_chosen_on_one_half_of_the_seeds_and_judged_on_the_other(
    client: httpx.Client, job_id: str
) -> None:
    tuned = client.get(f"/v1/jobs/{job_id}/comparison", params={"tuned": True}).raise_for_status().json()["tuned"]
    assert (tuned["chosen_on_pairs"], tuned["judged_on_pairs"]) == (3, 3)
    assert [label["label"] for label in tuned["labels"]] == ["sgd", "momentum"]

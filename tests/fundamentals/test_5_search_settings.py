"""Chapter 5. A list or range of a hyper-parameter makes a grid of settings; half of the seeds choose among them."""

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
    "seeds": {"first": 0, "count": 20},
    "epochs": 30,
}


@pytest.fixture(scope="module")
def job_id(stack: Stack) -> str:
    with stack.client() as client:
        return str(wait_for_job(client, client.post("/v1/jobs", json=SPEC).json()["id"])["id"])


def test_every_setting_runs_with_every_seed(client: httpx.Client, job_id: str) -> None:
    # Five rates of SGD, and three rates times two momenta.
    assert client.get(f"/v1/jobs/{job_id}").json()["progress"]["runs_total"] == (5 + 3 * 2) * 20


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
    assert found["runs_per_setting"] == 20
    picture = client.get(f"/v1/jobs/{job_id}/plot.svg", params={"kind": "heatmap", "label": "momentum"})
    assert picture.headers["Content-Type"].startswith("image/svg+xml")


def compare(client: httpx.Client, job_id: str, **query: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/v1/jobs/{job_id}/comparison", params=query).raise_for_status().json()
    return found


def test_settings_are_chosen_by_one_half_of_the_seeds_and_judged_by_the_other(
    client: httpx.Client, job_id: str
) -> None:
    found = compare(client, job_id)
    assert found["tuned"]
    assert (found["choosing_seeds"], found["replicates"]) == (10, 10)
    assert [(label["label"], label["num_settings"]) for label in found["labels"]] == [("sgd", 5), ("momentum", 6)]
    # A label stands for its chosen setting: there is one pair, that of the labels.
    assert [(pair["a"], pair["b"], pair["seeds"]) for pair in found["pairs"]] == [("sgd", "momentum", 10)]
    assert "10 seeds" in found["verdict"]


def test_an_unequal_number_of_settings_is_warned_of(client: httpx.Client, job_id: str) -> None:
    assert "unequal_grids" in [warning["code"] for warning in compare(client, job_id)["warnings"]]


def test_every_setting_can_be_a_label_of_its_own(client: httpx.Client, job_id: str) -> None:
    found = compare(client, job_id, tuned=False)
    assert (found["choosing_seeds"], found["replicates"]) == (0, 20)
    assert {"sgd lr=0.005", "momentum lr=0.02 momentum=0.9"} <= {rank["label"] for rank in found["ranks"]}
    assert len(found["pairs"]) == 11 * 10 // 2


def test_half_of_fewer_than_twelve_seeds_claims_nothing(client: httpx.Client) -> None:
    job = wait_for_job(client, client.post("/v1/jobs", json={**SPEC, "seeds": {"count": 11}}).json()["id"])
    found = compare(client, job["id"])
    assert found["replicates"] == 5
    assert "Use at least 12 seeds." in found["verdict"]
    assert found["best"] == [rank["label"] for rank in found["ranks"]]

"""Histories over HTTP, on both databases: exact numbers, columns, NaN and infinities."""

import json
import math
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.completed import run_job

REFERENCE = sorted((Path(__file__).parent.parent / "reference").glob("*.json"))


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("path", REFERENCE, ids=[path.stem for path in REFERENCE])
def test_histories_equal_a_plain_torch_loop_within_a_billionth(client: httpx.Client, path: Path) -> None:
    reference = json.loads(path.read_text())
    job_id = run_job(client, reference["spec"])
    answered = client.get(f"/v1/jobs/{job_id}/metrics").json()["runs"]
    assert [(run["label"], run["seed"]) for run in answered] == [
        (run["label"], run["seed"]) for run in reference["runs"]
    ]
    for run, expected in zip(answered, reference["runs"], strict=True):
        for field, values in expected["history"].items():
            # Two values that are nearly zero by cancellation agree to the precision of what cancelled.
            scale = max(np.abs(np.array(values, dtype=float)[~_null(values)]).max(), 1e-300)
            np.testing.assert_array_equal(_null(run[field]), _null(values))
            np.testing.assert_allclose(
                np.array(run[field], dtype=float), np.array(values, dtype=float), rtol=1e-9, atol=1e-15 * scale
            )


def _null(values: list[Any]) -> Any:
    return np.array([value is None for value in values])


def test_a_run_that_diverges_is_a_result_and_its_last_row_is_kept(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"label": "in", "kind": "sgd", "lr": 0.09}, {"label": "out", "kind": "sgd", "lr": 1.0}],
        "epochs": 50,
    }
    job_id = run_job(client, spec)
    inside, outside = client.get(f"/v1/jobs/{job_id}/runs").json()["items"]
    assert inside["status"] == "completed"
    assert outside["status"] == "diverged"
    # w2 is multiplied by 1 − 20 each time: 40·361^k is above 1e9·65 for the first time at k = 4.
    assert outside["diverged_epoch"] == outside["epochs_done"] == 4
    history = client.get(f"/v1/runs/{outside['id']}/metrics").json()
    assert history["epoch"] == [0, 1, 2, 3, 4]
    assert history["loss"][-1] == outside["final_loss"] > 65e9
    progress = client.get(f"/v1/jobs/{job_id}").json()["progress"]
    assert progress["runs_diverged"] == 1
    assert progress["epochs_done"] == 54
    assert progress["fraction"] == 1.0


def test_nan_and_both_infinities_are_distinguished(client: httpx.Client) -> None:
    ends = {}
    for name, expression in {
        "Infinity": "exp(x) - 1", "-Infinity": "0 - exp(x)", "NaN": "log(x)"
    }.items():  # fmt: skip
        # One huge step: to +800 or −1000, where the exponential leaves float64 or the logarithm its domain.
        lr = {"Infinity": 1000.0, "-Infinity": 1000.0, "NaN": 1000.0}[name]
        spec = {
            "problem": {"kind": "surface", "expression": expression, "start": [1.0]},
            "optimizers": [{"kind": "sgd", "lr": lr, "maximize": name == "Infinity"}],
            "epochs": 3,
        }
        job_id = run_job(client, spec)
        answer = client.get(f"/v1/jobs/{job_id}/metrics")
        json.loads(answer.text, parse_constant=lambda constant: pytest.fail(f"{constant} is not JSON"))
        run = answer.json()["runs"][0]
        ends[name] = run["loss"][-1]
        assert run["epoch"] == [0, 1]
        run = client.get(f"/v1/jobs/{job_id}/runs").json()["items"][0]
        assert run["final_loss"] == name
        assert isinstance(run["best_loss"], float)
        assert run["best_epoch"] == 0
    assert ends == {name: name for name in ends}


def test_fields_and_epochs_can_be_chosen(client: httpx.Client) -> None:
    spec = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.1}], "epochs": 10}
    job_id = run_job(client, spec)
    query = {"fields": "grad_norm,loss,test_loss", "from_epoch": 2, "to_epoch": 5}
    history = client.get(f"/v1/jobs/{job_id}/metrics", params=query).json()["runs"][0]
    assert list(history)[:3] == ["run_id", "label", "seed"]
    assert history["epoch"] == [2, 3, 4, 5]
    assert history["test_loss"] == [None] * 4
    assert len(history["loss"]) == len(history["grad_norm"]) == history["total_points"] == 4
    assert "accuracy" not in history
    wrong = client.get(f"/v1/jobs/{job_id}/metrics", params={"fields": "loss,hope"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["query", "fields"]
    assert client.get(f"/v1/jobs/{job_id}/metrics?from_epoch=5&to_epoch=2").status_code == 422


def test_every_field_of_the_contract_is_there(client: httpx.Client) -> None:
    flipnet = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "adagrad", "lr": 0.1}], "epochs": 2}
    history = client.get(f"/v1/jobs/{run_job(client, flipnet)}/metrics").json()["runs"][0]
    assert history["train_loss"][0] is None
    assert history["update_norm"][0] is None
    assert history["distance_from_start"][0] == 0
    assert history["momentum"] == [None, None, None]
    assert history["lr"] == [0.1, 0.1, 0.1]
    assert all(0 <= share <= 1 for share in history["accuracy"])
    surface = {**flipnet, "problem": {"kind": "surface", "name": "himmelblau", "start": [3.0, 2.0]}}
    history = client.get(f"/v1/jobs/{run_job(client, surface)}/metrics").json()["runs"][0]
    assert history["position"][0] == [3.0, 2.0]
    assert history["distance_to_minimum"] == [0.0] * 3
    assert "accuracy" not in history


def test_record_every_keeps_first_last_and_every_nth_epoch(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": 0.1}],
        "epochs": 25,
        "record_every": 10,
    }
    history = client.get(f"/v1/jobs/{run_job(client, spec)}/metrics").json()["runs"][0]
    assert history["epoch"] == [0, 10, 20, 25]


def test_histories_of_a_job_are_paged_and_chosen_by_label_and_run(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"label": "a", "kind": "sgd", "lr": [0.01, 0.02]}, {"label": "b", "kind": "adam", "lr": 0.1}],
        "seeds": {"count": 4},
        "epochs": 5,
    }
    job_id = run_job(client, spec)
    runs = client.get(f"/v1/jobs/{job_id}/runs").json()["items"]

    def ids(**query: Any) -> list[str]:
        seen, cursor = [], None
        while True:
            asked = {**query, "limit": 3} | ({"cursor": cursor} if cursor else {})
            page = client.get(f"/v1/jobs/{job_id}/metrics", params=asked).json()
            assert len(page["runs"]) <= 3
            seen += [run["run_id"] for run in page["runs"]]
            cursor = page["next"]
            if cursor is None:
                return seen

    everything = [run["id"] for run in runs]
    assert ids() == everything
    assert ids(labels="b") == everything[8:]
    assert ids(labels="a lr=0.02,b") == everything[4:]
    assert ids(runs=f"{everything[9]},2") == [everything[2], everything[9]]
    assert client.get(f"/v1/jobs/{job_id}/metrics?runs=12").status_code == 422


def test_runs_are_sorted_by_loss_and_filtered(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "ravine"},
        "optimizers": [{"kind": "sgd", "lr": [0.2, 0.001, 0.05, 0.01]}],
        "epochs": 100,
    }
    job_id = run_job(client, spec)
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"sort": "final_loss", "limit": 3} | ({"cursor": cursor} if cursor else {})
        page = client.get(f"/v1/jobs/{job_id}/runs", params=query).json()
        seen += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    losses = [math.inf if isinstance(run["final_loss"], str) else run["final_loss"] for run in seen]
    assert len(seen) == 4
    assert losses == sorted(losses)
    diverged = client.get(f"/v1/jobs/{job_id}/runs?status=diverged").json()["items"]
    assert [run["optimizer"]["lr"] for run in diverged] == [0.2]
    labelled = client.get(f"/v1/jobs/{job_id}/runs", params={"label": "sgd lr=0.05"}).json()["items"]
    assert [run["index"] for run in labelled] == [2]


@pytest.mark.slow(after=1)
def test_a_thinned_history_keeps_its_ends_and_extremes(client: httpx.Client) -> None:
    spec = {
        "problem": {"kind": "surface", "name": "rosenbrock"},
        "optimizers": [{"kind": "momentum", "lr": 0.0005}],
        "epochs": 2_000,
    }
    job_id = run_job(client, spec)
    whole = client.get(f"/v1/jobs/{job_id}/metrics?fields=loss").json()["runs"][0]
    thin = client.get(f"/v1/jobs/{job_id}/metrics?fields=loss&max_points=50").json()["runs"][0]
    assert thin["total_points"] == 2_001
    assert thin["returned_points"] == len(thin["epoch"]) == 50
    assert thin["epoch"][0] == 0
    assert thin["epoch"][-1] == 2_000
    assert min(thin["loss"]) == min(whole["loss"])
    assert max(thin["loss"]) == max(whole["loss"])
    assert thin == client.get(f"/v1/jobs/{job_id}/metrics?fields=loss&max_points=50").json()["runs"][0]

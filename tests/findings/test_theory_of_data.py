"""Theory of linear models on data over HTTP: what a worker has stored, beside the measured rates."""

from typing import Any

import httpx
import numpy as np
import pytest

from service.database.connection import Database
from service.database.datasets import known_minima
from service.database.known_minima import KnownMinimum
from service.findings import theory_of_data
from service.jobs import lifecycle
from service.settings import Settings
from service.spec.price import price
from tests.on_data import resolved
from tests.queued import count
from tests.servers import wait_for_job
from worker.data.linear import solution
from worker.runner import train_shard

HOUSES = "rooms,garden,price\n3,yes,210\n4,no,190\n2,no,150\n5,no,250\n3,yes,170\n4,yes,265\n6,no,380\n2,yes,120\n"


def compared(client: httpx.Client, problem: dict[str, Any], *optimizers: Any, epochs: int = 60, **more: Any) -> Any:
    body = {"problem": {"kind": "data", **problem}, "optimizers": list(optimizers), "epochs": epochs, **more}
    answer = client.post("/v1/jobs", json=body)
    assert answer.status_code == 202, answer.text
    job = wait_for_job(client, answer.json()["id"])
    assert job["status"] == "completed", job["error"]
    return client.get(f"/v1/jobs/{job['id']}/comparison").raise_for_status().json()["theory"]


def asked(client: httpx.Client, problem: dict[str, Any], **more: Any) -> Any:
    query = {"problem": {"kind": "data", **problem}, "optimizer": "sgd", **more}
    return client.post("/v1/theory", json=query).raise_for_status().json()


@pytest.mark.slow
@pytest.mark.databases("sqlite")
def test_predicted_rates_stand_beside_measured_ones(client: httpx.Client) -> None:
    problem = {"dataset": "diabetes", "l2": 0.1, "features": ["bmi", "bp", "s5", "s6"]}
    entries = [
        {"kind": "sgd", "lr": 0.4},
        {"kind": "momentum", "lr": 0.2, "momentum": 0.5},
        {"kind": "adam", "lr": 0.1},
    ]
    found = compared(client, problem, *entries, epochs=80)
    assert found["exact"] is True
    ground = found["problem"]
    assert 1 < ground["condition_number"] < 10 < ground["unscaled_condition_number"] * 10
    assert ground["minimum_loss"] > 0
    assert ground["minimum"] is None
    assert [one["kind"] for one in ground["best"]] == ["sgd", "momentum", "nesterov"]
    sgd, momentum, adam = found["settings"]
    for setting in (sgd, momentum):
        assert setting["inside"] is True
        assert 0 < setting["rate"] < 1
        assert setting["measured_rate"] == pytest.approx(setting["rate"], rel=0.03)
    assert adam["rate"] is None
    limit = asked(client, problem)["setting"]["lr_limit"]
    assert limit == sgd["lr_limit"] == pytest.approx(2 / ground["largest"])
    beyond, within = (compared(client, problem, {"kind": "sgd", "lr": f * limit}, epochs=200) for f in (1.05, 0.95))
    assert beyond["settings"][0]["measured_rate"] > 1 > within["settings"][0]["measured_rate"]


@pytest.mark.slow
@pytest.mark.databases("sqlite")
def test_the_best_settings_are_those_of_the_condition_number(client: httpx.Client) -> None:
    problem = {"dataset": "wine", "l2": 0.05}
    compared(client, problem, {"kind": "sgd", "lr": 0.1}, epochs=1)
    best = {one["kind"]: one for one in asked(client, problem)["problem"]["best"]}["momentum"]
    entry = {"kind": "momentum", "lr": best["lr"], "momentum": best["momentum"]}
    found = compared(client, problem, entry, epochs=60)
    assert found["exact"] is False
    assert found["settings"][0]["measured_rate"] == pytest.approx(best["rate"], rel=0.05)


@pytest.mark.databases("sqlite")
def test_where_nothing_is_known_a_note_says_why(client: httpx.Client) -> None:
    before = asked(client, {"dataset": "iris", "split_seed": 77, "l2": 0.1})
    assert before["problem"]["notes"] == [theory_of_data.NOT_YET]
    assert before["setting"]["sharpness_ceiling"] == pytest.approx(200)
    separable = compared(client, {"dataset": "breast_cancer"}, {"kind": "sgd", "lr": 0.1}, epochs=2)
    assert separable["problem"]["notes"] == [solution.SEPARABLE]
    assert separable["problem"]["condition_number"] is None
    noisy = asked(client, {"dataset": "iris", "label_noise": 0.1})
    assert noisy["problem"]["notes"] == [theory_of_data.NOISY]
    batches = compared(client, {"dataset": "wine", "l2": 0.1}, {"kind": "sgd", "lr": 0.1}, epochs=2, batch_size=10)
    (setting,) = batches["settings"]
    assert setting["measured_rate"] is None
    assert "Batches add noise" in setting["notes"][-1]
    decayed = asked(client, {"dataset": "wine", "l2": 0.1}, weight_decay=0.1)
    assert decayed["setting"]["notes"] == [theory_of_data.DECAYED]
    mlp = asked(client, {"dataset": "wine", "model": {"kind": "mlp"}})
    assert "network" in mlp["problem"]["notes"][0]


@pytest.mark.databases("sqlite")
def test_an_uploaded_table_has_theory_that_goes_with_it(client: httpx.Client) -> None:
    upload = client.post(
        "/v1/datasets", content=HOUSES, headers={"Content-Type": "text/csv"}, params={"name": "houses"}
    )
    dataset = upload.raise_for_status().json()["id"]
    problem = {"dataset": dataset, "scale": "none", "test_share": 0}
    found = compared(client, problem, {"kind": "sgd", "lr": 0.01, "weight_decay": 0.5}, epochs=5)
    # The two columns of `garden` and the bias depend on each other; weight decay holds along that direction too.
    assert found["problem"]["smallest"] == pytest.approx(0.5)
    assert asked(client, problem)["problem"]["notes"][0].startswith("The loss never changes along 1 of 4 directions.")
    rows = [
        [3, 0, 1, 1],
        [4, 1, 0, 1],
        [2, 1, 0, 1],
        [5, 1, 0, 1],
        [3, 0, 1, 1],
        [4, 0, 1, 1],
        [6, 1, 0, 1],
        [2, 0, 1, 1],
    ]
    expected = np.linalg.eigvalsh(np.array(rows).T @ np.array(rows) / 8)
    spectrum = asked(client, problem)["problem"]["spectrum"]
    np.testing.assert_allclose(spectrum, [0, *expected[1:]], rtol=1e-9)
    client.delete(f"/v1/datasets/{dataset}").raise_for_status()
    query = {"problem": {"kind": "data", **problem}, "optimizer": "sgd"}
    answer = client.post("/v1/theory", json=query)
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["body", "problem", "dataset"])


def test_it_is_computed_once_and_read_by_later_jobs(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted(*given: Any) -> Any:
        calls.append(given)
        return solution.theory_of(*given)

    monkeypatch.setattr("worker.data.known.theory_of", counted)
    for entry in ({"kind": "sgd", "lr": 0.1}, {"kind": "adam", "lr": 0.1}):
        spec = resolved({"dataset": "diabetes", "l2": 0.01}, optimizers=[entry], epochs=1)
        with database.transaction() as session:
            job, _ = lifecycle.create(session, spec, price(spec))
        train_shard(database, Settings(), job.key, 0)
    assert (len(calls), count(database, KnownMinimum)) == (1, 1)
    with database.snapshot() as session:
        stored = known_minima.find(session, spec.problem)  # type: ignore[arg-type]
    computed = solution.theory_of(*calls[0])
    assert stored is not None
    assert stored.as_dict() == computed.as_dict()
    assert stored.minimum_D is not None
    assert (stored.minimum_D == computed.minimum_D).all()


def test_the_first_of_two_workers_decides_and_old_rows_are_removed(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_minima, "MAX_ROWS", 2)
    problems = [resolved({"dataset": "iris", "split_seed": seed}, epochs=1).problem for seed in range(4)]
    first, second = (solution.LinearTheory(None, loss=loss) for loss in (1.0, 2.0))
    with database.transaction() as session:
        for problem in problems:
            known_minima.add(session, problem, None, first)  # type: ignore[arg-type]
        assert known_minima.add(session, problems[3], None, second).loss == 1.0  # type: ignore[arg-type]
    assert count(database, KnownMinimum) == 2

"""Kinds that a live worker offers, from the catalogue to the report; the API imports none of the classes."""

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pandas
import pytest

from tests.servers import Broker, Stack, until, wait_for_job

SETTING = "lion2=pytorch_optimizer:Lion,lamb2=pytorch_optimizer:Lamb"
SPEC: dict[str, Any] = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "lion2", "lr": [0.002, 0.004], "beta1": 0.95}, {"kind": "lion", "lr": 0.002}],
    "seeds": {"count": 6},
    "epochs": 3,
}
GRID = [{"kind": "lamb2", "lr": 0.01, "weight_decay": [0, 0.01]}]


@pytest.fixture(scope="module")
def offering(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """An API, a worker without installed classes, and one with two of them. tests/jobs has claims on both databases."""
    workers: dict[str, dict[str, str]] = {"plain": {}, "special": {"RAVINE_OPTIMIZERS": SETTING}}
    folder = tmp_path_factory.mktemp("offering")
    with Stack(new_database("sqlite"), broker.new_url(), folder, batch_workers=workers) as stack:
        with stack.client() as client:
            until(lambda: "lion2" in kinds_of(client), "no worker offers its kinds")
        yield stack


@pytest.fixture
def client(offering: Stack) -> Iterator[httpx.Client]:
    with offering.client() as client:
        yield client


def kinds_of(client: httpx.Client) -> dict[str, Any]:
    return {one["kind"]: one for one in client.get("/v1/optimizers").raise_for_status().json()["items"]}


def run(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    posted = client.post("/v1/jobs", json={**SPEC, **changes})
    assert posted.status_code == 202, posted.text
    job = wait_for_job(client, posted.json()["id"])
    assert job["status"] == "completed", job["error"]
    return job


def test_the_catalogue_has_what_a_live_worker_offers(client: httpx.Client) -> None:
    kinds = kinds_of(client)
    lion, lamb = kinds["lion2"], kinds["lamb2"]
    assert lion["offered"]["class_name"] == "pytorch_optimizer.Lion"
    assert lion["offered"]["package"].startswith("pytorch")
    assert (lion["offered"]["run_by_run"], lamb["offered"]["run_by_run"]) == (False, True)
    assert "maximize" in lion["offered"]["left_out"]
    beta = lion["parameters"]["properties"]["beta1"]
    number = next(form for form in beta["oneOf"] if form.get("type") == "number")
    assert (beta["default"], number["minimum"], number["exclusiveMaximum"]) == (0.9, 0, 1)
    assert {"Range", "Interval"} <= set(lion["parameters"]["$defs"])
    assert {"label", "lr", "schedule", "clip_norm"} <= set(lion["parameters"]["properties"])
    assert kinds["adam"]["offered"] is None
    # An entry to start from is accepted as it is.
    started = client.post("/v1/jobs?dry_run=true", json={**SPEC, "optimizers": [lion["offered"]["entry"], "lamb2"]})
    assert started.status_code == 200, started.text


def test_a_job_of_an_offered_kind_is_trained_compared_and_reported(client: httpx.Client) -> None:
    job = run(client)
    entry = job["spec"]["optimizers"][0]
    assert {name: entry[name] for name in ("kind", "lr", "beta1", "beta2", "weight_decay")} == {
        "kind": "lion2", "lr": [0.002, 0.004], "beta1": 0.95, "beta2": 0.99, "weight_decay": 0.0,
    }  # fmt: skip
    assert job["receipt"]["optimizers"]["lion2"].startswith("pytorch")
    labels = [label["label"] for label in client.get(f"/v1/jobs/{job['id']}/comparison").json()["labels"]]
    assert labels == ["lion2", "lion"]
    for label in client.get(f"/v1/jobs/{job['id']}/comparison").json()["labels"]:
        assert label["chosen"]["code"].startswith("pytorch_optimizer.Lion(model.parameters(), lr=0.00")
    runs = client.get(f"/v1/jobs/{job['id']}/runs?format=csv").text
    frame = pandas.read_csv(io.StringIO(runs))
    assert frame["optimizer.beta1"].tolist() == [0.95] * 12 + [0.9] * 6
    assert frame["label"].tolist()[0] == "lion2 lr=0.002"
    for way in ("html", "md", "tex"):
        assert "lion2 (installed class)" in client.get(f"/v1/jobs/{job['id']}/report?format={way}").text
    assert client.get(f"/v1/jobs/{job['id']}/plot.svg?kind=loss").status_code == 200
    # Posted again as it is stored, it is the same job.
    assert run(client, **job["spec"])["receipt"]["spec_digest"] == job["receipt"]["spec_digest"]


def test_grids_and_searches_of_an_offered_kind_are_those_of_others(client: httpx.Client) -> None:
    job = run(client, optimizers=GRID)
    assert job["spec"]["optimizers"][0]["run_by_run"] is True
    runs = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"]
    assert {one["label"] for one in runs} == {"lamb2 weight_decay=0", "lamb2 weight_decay=0.01"}
    found = client.get(f"/v1/jobs/{job['id']}/comparison?tuned=false").json()
    assert {one["label"] for one in found["ranks"]} == {"lamb2 weight_decay=0", "lamb2 weight_decay=0.01"}
    searched = run(client, optimizers=["lion2"], search={"trials": 4}, seeds=[0, 1])
    assert searched["progress"]["runs_total"] == 8


def test_the_price_of_a_kind_that_steps_run_by_run_is_higher(client: httpx.Client) -> None:
    def seconds(kind: str) -> float:
        given = {**SPEC, "optimizers": [{"kind": kind, "lr": 0.01}], "seeds": {"count": 1_000}}
        return float(client.post("/v1/jobs?dry_run=true", json=given).json()["estimated_seconds"])

    assert seconds("lamb2") > 20 * seconds("lion2")


@pytest.mark.parametrize(
    ("entry", "place", "said"),
    [
        ({"kind": "lion3", "lr": 0.1}, ["kind"], "workers offer lamb2, lion2"),
        ("lion3", [], "workers offer lamb2, lion2"),
        ({"kind": "lion2", "lr": 0.1, "betta": 0.9}, ["betta"], "there are .*beta1, beta2"),
        ({"kind": "lion2", "lr": 0.1, "beta1": [0.5, 1.0]}, ["beta1"], "must be at least 0 and below 1"),
        ({"kind": "lion2", "lr": 0.1, "beta1": True}, ["beta1"], "must be a number"),
        ({"kind": "lion2", "lr": 0.1, "weight_decouple": 1}, ["weight_decouple"], "must be true or false"),
        ({"kind": "lion2", "lr": -1}, ["lr"], "must be above 0"),
        ({"kind": "lion2", "lr": 1, "run_by_run": True}, ["run_by_run"], "must be false here"),
        ({"kind": "pytorch_optimizer:Lion", "lr": 1}, ["kind"], "there is no kind"),
    ],
)
def test_an_entry_that_no_worker_can_train_is_refused_with_its_place(
    client: httpx.Client, entry: Any, place: list[str], said: str
) -> None:
    answer = client.post("/v1/jobs", json={**SPEC, "optimizers": ["sgd", entry]})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["loc"] == ["body", "optimizers", 1, *place]
    assert re.search(said, error["msg"]), error["msg"]


@pytest.mark.slow
def test_many_jobs_of_an_offered_kind_do_not_wait_for_the_sweep(client: httpx.Client) -> None:
    """Their messages reach the worker that has the class, although another one is idle."""
    began = time.monotonic()
    for seed in range(8):
        run(client, seeds=[seed])
    assert time.monotonic() - began < 8 * 1.5


@pytest.mark.slow
def test_a_bundle_is_verified_where_the_class_is_installed(client: httpx.Client, tmp_path: Path) -> None:
    job = run(client, optimizers=[*SPEC["optimizers"], *GRID])
    bundle = tmp_path / "bundle.zip"
    bundle.write_bytes(client.get(f"/v1/jobs/{job['id']}/bundle").raise_for_status().content)
    with zipfile.ZipFile(bundle) as archive:
        assert json.loads(archive.read("receipt.json"))["optimizers"]["lion2"].startswith("pytorch")
    command = [sys.executable, "-m", "worker.verify", str(bundle)]
    found = subprocess.run(command, env={"RAVINE_OPTIMIZERS": SETTING}, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout[:5]) == (0, "Same:"), found.stderr
    without = subprocess.run(command, env={}, capture_output=True, text=True, check=False)
    assert without.returncode == 2
    assert "RAVINE_OPTIMIZERS must name it here" in without.stderr


def test_the_kinds_of_a_worker_that_ends_are_no_longer_offered(offering: Stack, client: httpx.Client) -> None:
    offering.processes["special"].ask_to_stop()
    until(lambda: "lion2" not in kinds_of(client), "a worker that has ended still offers")
    answer = client.post("/v1/jobs", json=SPEC)
    assert answer.status_code == 422
    assert "no worker offers another" in answer.json()["errors"][0]["msg"]

"""The Python client: a method for each operation of the API, errors, and repeated requests."""

import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from service.client import NotReachable, Ravine, WaitTimeout, frame
from service.client.answers import Comparison
from service.client.errors import Conflict, NotAccepted, NotFound, Unavailable
from tests.lossy_proxy import BUSY, HTML, LOSE, lossy_proxy
from tests.servers import Stack

SPEC: dict[str, Any] = {
    "name": "For the client",
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"label": "slow", "kind": "sgd", "lr": 0.02}, {"label": "wild", "kind": "sgd", "lr": 1e200}],
    "seeds": [0, 1],
    "epochs": 20,
}

# The results of the client do not depend on the database of the service.
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.fixture
def ravine(stack: Stack) -> Iterator[Ravine]:
    with Ravine(stack.url) as client:
        yield client


@pytest.fixture(scope="module")
def job_id(stack: Stack) -> str:
    """A job that has ended."""
    with Ravine(stack.url) as ravine:
        return ravine.wait(ravine.submit(SPEC)["id"], timeout_seconds=60)["id"]


def test_a_job_is_submitted_waited_for_and_read(ravine: Ravine) -> None:
    job = ravine.submit(SPEC, name="Another name")
    assert job["name"] == "Another name"
    seen: list[float] = []
    ended = ravine.wait(job["id"], progress=lambda now: seen.append(now["progress"]["fraction"]), timeout_seconds=60)
    assert ended["status"] == "completed"
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert ravine.job(job["id"]) == ended


def test_a_spec_comes_from_a_file_as_well(ravine: Ravine, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text(json.dumps(SPEC))
    assert ravine.dry_run(file)["runs_total"] == ravine.dry_run(str(file))["runs_total"] == 4
    file.write_text("{")
    with pytest.raises(NotAccepted, match="is not JSON"):
        ravine.submit(file)
    with pytest.raises(NotAccepted, match="cannot be read"):
        ravine.submit(str(tmp_path / "nowhere.json"))


def test_runs_have_floats_where_the_api_writes_texts(ravine: Ravine, job_id: str) -> None:
    runs = list(ravine.runs(job_id))
    assert [run["index"] for run in runs] == [0, 1, 2, 3]
    wild = next(ravine.runs(job_id, label="wild"))
    assert wild["status"] == "diverged"
    assert wild["final_loss"] == float("inf")
    assert ravine.run(wild["id"]) == wild


def test_a_history_has_arrays_that_distinguish_nan_from_not_measured(ravine: Ravine, job_id: str) -> None:
    slow, wild = (next(ravine.runs(job_id, label=label))["id"] for label in ("slow", "wild"))
    history = ravine.history(slow)
    assert history.epoch.tolist() == list(range(21))
    assert history["loss"].dtype == np.float64
    assert history["position"].shape == (21, 2)
    # The surface itself, from the positions: w₁² + 10 w₂².
    assert np.allclose(history["loss"], history["position"] ** 2 @ [1, 10])
    assert np.isnan(history["update_norm"][0])
    assert not history.measured["update_norm"][0]
    assert history.measured["update_norm"][1:].all()
    diverged = ravine.history(wild, fields=["loss"])
    assert not np.isfinite(diverged["loss"][-1])
    assert diverged.measured["loss"].all()
    assert len(ravine.history(slow, fields=["loss"], max_points=5)) <= 6


def test_metrics_read_every_page(ravine: Ravine, stack: Stack) -> None:
    many = {**SPEC, "optimizers": SPEC["optimizers"][:1], "seeds": {"count": 60}, "epochs": 3}
    job = ravine.wait(ravine.submit(many)["id"], timeout_seconds=60)
    histories = list(ravine.metrics(job["id"], fields=["loss"]))
    assert [history.seed for history in histories] == list(range(60))
    assert [len(one) for one in ravine.metrics(job["id"], fields=["loss"], runs=[3, 5])] == [4, 4]


@pytest.mark.slow
def test_more_runs_than_a_url_holds_take_several_requests(ravine: Ravine, stack: Stack) -> None:
    many = {**SPEC, "optimizers": SPEC["optimizers"][:1], "seeds": {"count": 500}, "epochs": 1}
    job = ravine.wait(ravine.submit(many)["id"], timeout_seconds=60)
    ids = [run["id"] for run in ravine.runs(job["id"])]
    histories = ravine.metrics(job["id"], fields=["loss"], runs=ids)
    assert [history.run_id for history in histories] == ids
    # A page fits into one request by indices.
    by_index = ",".join(map(str, range(500)))
    page = httpx.get(f"{stack.url}/v1/jobs/{job['id']}/metrics?limit=500&fields=loss&runs={by_index}", trust_env=False)
    assert len(page.json()["runs"]) == 500


def test_jobs_iterate_over_pages(ravine: Ravine, stack: Stack) -> None:
    tiny = {**SPEC, "epochs": 1, "seeds": [0], "name": "one of many pages"}
    made = [ravine.submit(tiny)["id"] for _ in range(3)]
    listed = itertools.islice(ravine.jobs(name="one of many pages"), 3)
    assert [job["id"] for job in listed] == made[::-1]


def test_many_histories_are_one_table(ravine: Ravine, job_id: str) -> None:
    table = frame(ravine.metrics(job_id, labels=["slow"]))
    assert len(table) == 2 * 21
    assert list(table.columns[:4]) == ["run_id", "label", "seed", "epoch"]
    assert {"x", "y", "loss"} <= set(table.columns)
    assert table.groupby("seed")["loss"].last().tolist() == [
        run["final_loss"] for run in ravine.runs(job_id, label="slow")
    ]
    assert frame([]).empty


def test_without_pandas_the_error_names_the_missing_package(
    ravine: Ravine, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        frame(ravine.metrics(job_id))


@pytest.mark.slow
def test_comparison_catalogue_and_plot_take_one_call_each(ravine: Ravine, job_id: str) -> None:
    assert ravine.comparison(job_id, baseline="slow")["baseline"] == "slow"
    assert "adam" in {optimizer["kind"] for optimizer in ravine.catalogue("optimizers")}
    picture = ravine.plot(job_id, "loss", width=400, height=300)
    assert picture.startswith(b"\x89PNG")
    assert picture._repr_png_() == picture
    assert "<title>" in (ravine.plot(job_id, "paths", format="svg")._repr_svg_() or "")
    assert ravine.report(job_id).startswith(b"<!doctype html>")
    assert ravine.report(job_id, format="tex").startswith(b"\\documentclass")
    assert b"".join(ravine.bundle(job_id)).startswith(b"PK")


def test_a_comparison_takes_criterion_and_choice_of_settings(ravine: Ravine) -> None:
    optimizers = [{"label": "sgd", "kind": "sgd", "lr": [0.01, 0.02]}]
    problem = {"kind": "surface", "name": "ravine", "noise": 0.1}
    job = ravine.wait(ravine.submit({"problem": problem, "optimizers": optimizers, "epochs": 5})["id"])
    assert ravine.comparison(job["id"])["tuned"] is True
    assert ravine.comparison(job["id"], tuned=True)["tuned"] is True
    every = ravine.comparison(job["id"], tuned=False, criterion="loss_area")
    assert every["tuned"] is False
    assert every["criterion"]["name"] == "loss_area"
    with pytest.raises(NotAccepted, match="criterion"):
        ravine.comparison(job["id"], criterion="hope")


def test_the_type_of_a_comparison_has_the_fields_of_the_answer(ravine: Ravine, job_id: str) -> None:
    assert set(Comparison.__annotations__) == set(ravine.comparison(job_id))


def test_presets_and_lessons_are_read_by_name(ravine: Ravine) -> None:
    assert "ravine-large-lr" in {preset["name"] for preset in ravine.catalogue("presets")}
    job = ravine.submit("ravine-large-lr", epochs=3)
    assert job["spec"]["epochs"] == 3
    assert job["spec"]["problem"] == {**job["spec"]["problem"], **ravine.preset("ravine-large-lr")["spec"]["problem"]}
    with pytest.raises(NotAccepted, match="no preset"):
        ravine.submit("nobody-knows-this")
    lesson = ravine.catalogue("lessons")[0]
    assert ravine.lesson(lesson["id"])["statement"] == lesson["statement"]


def test_errors_have_the_details_of_the_api(ravine: Ravine, job_id: str) -> None:
    with pytest.raises(NotAccepted) as refused:
        ravine.submit({**SPEC, "optimizers": [{"kind": "sgd", "lr": -1}]})
    assert refused.value.status == 422
    assert refused.value.title == "Not accepted"
    assert refused.value.errors[0]["loc"] == ["body", "optimizers", 0, "lr"]
    assert refused.value.errors[0]["msg"] in str(refused.value)
    with pytest.raises(NotFound, match="there is no job"):
        ravine.job("nobody here?")
    with pytest.raises(Conflict, match="has ended already"):
        ravine.cancel(job_id)


def test_a_job_is_cancelled_and_deleted(ravine: Ravine) -> None:
    long = {**SPEC, "optimizers": SPEC["optimizers"][:1], "epochs": 1_000_000, "record_every": 10_000}
    job = ravine.submit(long)
    with pytest.raises(WaitTimeout, match="it continues"):
        ravine.wait(job["id"], timeout_seconds=0.1)
    assert ravine.cancel(job["id"])["status"] in {"cancelling", "cancelled"}
    assert ravine.wait(job["id"], timeout_seconds=60)["status"] == "cancelled"
    ravine.delete(job["id"])
    with pytest.raises(NotFound):
        ravine.job(job["id"])


def test_a_lost_answer_to_submit_makes_no_second_job(ravine: Ravine, stack: Stack) -> None:
    name = "submitted once"
    with lossy_proxy(stack.url) as proxy, Ravine(proxy.url) as through:
        proxy.faults.extend([LOSE, BUSY])
        job = through.submit({**SPEC, "epochs": 1, "name": name})
        assert proxy.seen == [("POST", "/v1/jobs")] * 3
    assert [one["id"] for one in ravine.jobs(name=name)] == [job["id"]]


def test_a_request_that_is_not_repeatable_is_not_sent_again(job_id: str, stack: Stack) -> None:
    with lossy_proxy(stack.url) as proxy, Ravine(proxy.url) as through:
        proxy.faults.append(LOSE)
        with pytest.raises(NotReachable):
            through.delete(job_id + "0")
        assert len(proxy.seen) == 1


def test_a_get_without_an_answer_is_repeated_up_to_the_limit(job_id: str, stack: Stack) -> None:
    with lossy_proxy(stack.url) as proxy, Ravine(proxy.url, retries=1) as through:
        proxy.faults.append(LOSE)
        assert through.job(job_id)["id"] == job_id
        proxy.faults.extend([LOSE, LOSE])
        with pytest.raises(NotReachable, match="Ravine at"):
            through.job(job_id)


def test_an_answer_of_another_server_is_an_error_that_says_so(job_id: str, stack: Stack) -> None:
    with lossy_proxy(stack.url) as proxy, Ravine(proxy.url) as through:
        proxy.faults.append(HTML)
        with pytest.raises(Unavailable, match="not an error of Ravine") as found:
            through.job(job_id)
        assert found.value.status == 500


def test_address_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("RAVINE_URL", stack.url + "/")
    monkeypatch.setenv("RAVINE_API_KEY", "a key")
    with Ravine() as ravine:
        assert ravine.url == stack.url
        assert ravine._connection._http.headers["Authorization"] == "Bearer a key"

"""Random starts over HTTP, on both databases: runs, rows, comparison, plots, theory and landscape."""

from typing import Any

import httpx
import pytest

from tests.servers import Stack, wait_for_job

pytestmark = pytest.mark.databases("postgresql")

PROBLEM: dict[str, Any] = {
    "kind": "surface",
    "name": "himmelblau",
    "starts": {"random": 2, "within": {"x": [-4, 4], "y": [-3, 3]}},
}
SPEC: dict[str, Any] = {
    "problem": PROBLEM,
    "optimizers": [{"kind": "sgd", "lr": 0.01}, {"kind": "adam", "lr": [0.1, 0.2]}],
    "seeds": {"count": 6},
    "epochs": 40,
}


@pytest.fixture(scope="module")
def job(stack: Stack) -> dict[str, Any]:
    """The job of these tests, submitted once on each kind of database."""
    with stack.client() as client:
        posted = client.post("/v1/jobs", json=SPEC)
        assert posted.status_code == 202, posted.text
        return dict(wait_for_job(client, posted.json()["id"]))


@pytest.mark.slow
def test_a_run_shows_its_start_which_is_its_first_position(client: httpx.Client, job: dict[str, Any]) -> None:
    assert job["status"] == "completed"
    runs = client.get(f"/v1/jobs/{job['id']}/runs", params={"limit": 500}).json()["items"]
    assert len(runs) == 3 * 6 * 2
    seen: dict[str, list[tuple[int, list[float]]]] = {}
    for run in runs:
        seen.setdefault(run["label"], []).append((run["seed"], run["start"]))
        (position,) = client.get(f"/v1/runs/{run['id']}/metrics", params={"fields": "position", "to_epoch": 0}).json()[
            "position"
        ]
        assert position == run["start"]
        assert -4 <= position[0] < 4
        assert -3 <= position[1] < 3
    assert seen["sgd"] == seen["adam lr=0.1"] == seen["adam lr=0.2"]
    assert len({tuple(start) for _, start in seen["sgd"]}) == 12


def test_a_job_posted_with_the_stored_spec_has_the_same_digest_and_histories(
    client: httpx.Client, job: dict[str, Any]
) -> None:
    again = wait_for_job(client, client.post("/v1/jobs", json=job["spec"]).json()["id"])
    assert again["receipt"]["spec_digest"] == job["receipt"]["spec_digest"]
    rows = [client.get(f"/v1/jobs/{one['id']}/metrics", params={"format": "csv"}).text for one in (job, again)]
    tables = [[line.split(",", 1)[1] for line in text.splitlines()] for text in rows]
    assert tables[0] == tables[1]


def test_a_dry_run_counts_and_shows_the_starts(client: httpx.Client, job: dict[str, Any]) -> None:
    planned = client.post("/v1/jobs", params={"dry_run": True}, json=SPEC).json()
    assert planned["runs_total"] == 36
    runs = client.get(f"/v1/jobs/{job['id']}/runs", params={"limit": 20}).json()["items"]
    assert [run["start"] for run in planned["runs"]] == [run["start"] for run in runs]


def test_seeds_with_random_starts_count_as_seeds(client: httpx.Client, job: dict[str, Any]) -> None:
    comparison = client.get(f"/v1/jobs/{job['id']}/comparison").raise_for_status().json()
    assert "seeds_change_nothing" not in {caution["code"] for caution in comparison["warnings"]}


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("kind", ["loss", "paths", "comparison", "ranks", "targets"])
def test_every_plot_of_a_job_is_drawn(client: httpx.Client, job: dict[str, Any], kind: str) -> None:
    answer = client.get(f"/v1/jobs/{job['id']}/plot.svg", params={"kind": kind})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet"])
def test_runs_are_exported_with_their_starts(client: httpx.Client, job: dict[str, Any], form: str) -> None:
    answer = client.get(f"/v1/jobs/{job['id']}/runs", params={"format": form})
    assert answer.status_code == 200
    start = client.get(f"/v1/jobs/{job['id']}/runs").json()["items"][0]["start"]
    assert form == "parquet" or str(start[0]) in answer.text


def test_theory_and_landscape_take_a_problem_with_random_starts(client: httpx.Client) -> None:
    bowl = {"kind": "quadratic", "eigenvalues": [1, 4], "starts": {"random": 3}}
    assert client.post("/v1/theory", json={"problem": bowl}).json()["problem"]["condition_number"] == 4
    formula = {"kind": "surface", "expression": "(x - 1)**2 + y**2", "starts": {"random": 3}}
    drawn = client.post("/v1/landscape", json={"problem": formula}).raise_for_status().json()
    assert drawn["minima"][0]["position"] == pytest.approx([1, 0])


def test_a_box_that_does_not_fit_is_rejected_at_its_place(client: httpx.Client) -> None:
    for starts, loc in (
        ({"random": 2, "within": {"x": [1, 0], "y": [0, 1]}}, ["within", "x"]),
        ({"random": 0}, ["random"]),
        ({"random": 2, "within": {"x": [0, 1]}}, []),
    ):
        answer = client.post("/v1/jobs", json={**SPEC, "problem": {**PROBLEM, "starts": starts}})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["loc"] == ["body", "problem", "starts", *loc]

"""The list of jobs in other orders, page by page, alike on both databases."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from service.api.http.cursors import write_place
from tests.servers import wait_for_job

SPEC: dict[str, Any] = {
    "problem": {"kind": "surface", "name": "ravine"},
    "optimizers": [{"kind": "sgd", "lr": 0.01}],
    "epochs": 3,
}
# Case-folded, and sorted by the numbers of their characters; two are equal.
NAMES = ("Bravo", "alpha", "_first", "éclair", "bravo", "zulu")


@pytest.fixture(scope="module")
def word() -> str:
    return uuid4().hex


def listed(client: httpx.Client, word: str, sort: str, limit: int = 2) -> list[dict[str, Any]]:
    """Read all pages of a list; a job is added after each."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"name": word, "sort": sort, "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = client.get("/v1/jobs", params=query).raise_for_status().json()
        found += page["items"]
        if (cursor := page["next"]) is None:
            return found


def test_jobs_are_sorted_over_all_pages(client: httpx.Client, word: str) -> None:
    posted = []
    for number, name in enumerate(NAMES):
        seeds = {"first": 0, "count": (number * 2) % 5 + 1}
        posted.append(client.post("/v1/jobs", json={**SPEC, "name": f"{name} {word}", "seeds": seeds}).json())
    jobs = [wait_for_job(client, job["id"]) for job in posted]
    by_id = {job["id"]: at for at, job in enumerate(jobs)}

    def order(sort: str) -> list[int]:
        return [by_id[job["id"]] for job in listed(client, word, sort)]

    assert order("created") == [5, 4, 3, 2, 1, 0]
    assert order("name") == [2, 1, 4, 0, 5, 3]
    # 1, 3, 5, 2, 4, 1 runs.
    assert order("runs") == [2, 4, 1, 3, 5, 0]
    seconds = [span(job) for job in listed(client, word, "longest", limit=1)]
    assert len(seconds) == len(NAMES)
    assert seconds == sorted(seconds, reverse=True)


def span(job: dict[str, Any]) -> float:
    """Seconds from start to end, to a millisecond."""
    start, end = (datetime.fromisoformat(job[name]) for name in ("started_at", "finished_at"))
    return round((end - start).total_seconds(), 3)


@pytest.mark.parametrize(
    ("sort", "cursor"),
    [
        ("name", write_place("jobs by runs", 3, 1)),
        ("name", write_place("jobs by name", 3, 1)),
        ("name", write_place("jobs by name", "a\0", 1)),
        ("runs", write_place("jobs by runs", 2**62, 1)),
        ("runs", "abc"),
        ("name", "WyJqb2JzIGJ5IG5hbWUiLCJcdWQ4MDAiLDFd"),  # A lone surrogate.
        ("created", write_place("jobs by runs", 3, 1)),
    ],
)
def test_a_cursor_of_another_order_is_refused(client: httpx.Client, sort: str, cursor: str) -> None:
    answer = client.get("/v1/jobs", params={"sort": sort, "cursor": cursor})
    assert answer.status_code == 400
    assert "start again without a cursor" in answer.json()["detail"]

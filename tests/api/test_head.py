"""HEAD answers as GET does, without a body; numbers of any length in queries are answered with their place."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.servers import Api, Broker

SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 3}
# Headers that differ between two answers to the same request, or with the framing of a body.
DIFFERENT = {"date", "x-request-id", "transfer-encoding"}


@pytest.fixture(scope="module")
def api(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with (
        Api(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("head")) as running,
        httpx.Client(base_url=running.url, timeout=30.0, trust_env=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def job_id(api: httpx.Client) -> str:
    return str(api.post("/v1/jobs", json=SPEC).json()["id"])


def paths_with_get(api: httpx.Client, job_id: str) -> list[str]:
    """List the paths of the OpenAPI document that have GET, with the ids of a job and of its run."""
    run = api.get(f"/v1/jobs/{job_id}/runs").json()["items"][0]["id"]
    values = {"job_id": job_id, "run": run, "name": "ravine-large-lr", "lesson_id": "none"}
    document = api.get("/openapi.json").json()
    return [
        re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], "none"), path)
        for path, item in document["paths"].items()
        if "get" in item
    ]


@pytest.mark.slow
def test_head_gives_the_status_and_the_headers_of_get(api: httpx.Client, job_id: str) -> None:
    paths = [*paths_with_get(api, job_id), "/", "/jobs", "/docs", "/openapi.json", "/nothing", f"/v1/jobs/{job_id}x"]
    assert len(paths) > 20
    for path in paths:
        if path.endswith(("/events", "/metrics")) and not path.startswith("/v1/runs"):
            continue  # An endless answer, and numbers that count the requests.
        expected = api.get(path)
        answer = api.head(path)
        assert answer.status_code == expected.status_code, path
        assert answer.content == b""
        names = set(expected.headers) - DIFFERENT
        assert {name: answer.headers.get(name) for name in names} == {name: expected.headers[name] for name in names}


def test_head_of_a_streamed_table_has_no_body(api: httpx.Client, job_id: str) -> None:
    for format_name in ("csv", "ndjson", "parquet"):
        path = f"/v1/jobs/{job_id}/metrics?format={format_name}"
        assert api.head(path).headers["content-type"] == api.get(path).headers["content-type"]
        assert api.head(path).content == b""


def test_head_of_an_event_stream_opens_none(api: httpx.Client, job_id: str) -> None:
    with api.stream("GET", f"/v1/jobs/{job_id}/events") as stream:
        expected = dict(stream.headers)
    answer = api.head(f"/v1/jobs/{job_id}/events")
    assert answer.status_code == 200
    for name in ("content-type", "cache-control", "x-accel-buffering"):
        assert answer.headers[name] == expected[name]
    assert "content-length" not in answer.headers
    # The connection is free for the next request.
    assert api.get("/healthz").status_code == 200
    assert api.head("/v1/jobs/unknown/events").status_code == 404


def test_head_of_a_route_without_get_is_405(api: httpx.Client) -> None:
    answer = api.head("/v1/theory")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_head_is_a_request_of_its_own_in_the_metrics(api: httpx.Client, job_id: str) -> None:
    api.head(f"/v1/jobs/{job_id}")
    labels = r'_count\{method="HEAD",route="/v1/jobs/\{job_id\}",status="200"\} [1-9]'
    assert re.search(labels, api.get("/metrics").text)


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("digits", ["9" * 5_000, "-" + "9" * 5_000, "0" * 5_000, "1" + "0" * 30, "9" * 5_000 + ".5"])
def test_no_query_fails_at_a_number_of_any_length(api: httpx.Client, job_id: str, digits: str) -> None:
    document = api.get("/openapi.json").json()
    checked = 0
    for path, item in document["paths"].items():
        url = path.replace("{job_id}", job_id).replace("{run}", digits).replace("{name}", digits)
        url = url.replace("{lesson_id}", digits)
        for parameter in item.get("get", {}).get("parameters", []):
            if parameter["in"] == "query":
                answer = api.head(url, params={parameter["name"]: digits})
                assert answer.status_code < 500, (path, parameter["name"], answer.text)
                checked += 1
    assert checked > 30


@pytest.mark.parametrize("path", ["metrics", "events"])
def test_an_index_of_many_digits_is_422_with_its_place(api: httpx.Client, job_id: str, path: str) -> None:
    for digits in ("9" * 5_000, "9" * 20, "1" + "0" * 4_000):
        answer = api.get(f"/v1/jobs/{job_id}/{path}", params={"runs": f"0,{digits}"})
        assert answer.status_code == 422, answer.text[:300]
        problem = answer.json()
        assert problem["errors"][0]["loc"] == ["query", "runs"]
        assert len(answer.content) < 1_000

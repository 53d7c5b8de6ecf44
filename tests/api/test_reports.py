"""Reports and bundles over HTTP: formats, conditional requests, ranges, and jobs that have not ended."""

import asyncio
import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from contextlib import closing

import httpx
import pyarrow.parquet as pq
import pytest

from service.database.connection import Database
from service.histories.bundle import MEMBERS
from tests.api.test_usage import api
from tests.stored import Stored
from tests.trained import trained

SPEC = {
    "name": "two rates",
    "problem": {"kind": "surface", "name": "ravine", "noise": 0.1},
    "optimizers": [{"label": "a", "kind": "sgd", "lr": 0.01}, {"label": "b", "kind": "sgd", "lr": 0.02}],
    "seeds": {"count": 6},
    "epochs": 5,
}


@pytest.fixture(scope="module")
def url(new_database: Callable[[str], str]) -> str:
    return new_database("sqlite")


@pytest.fixture(scope="module")
def job(url: str) -> str:
    with closing(Database(url)) as database:
        return trained(database, SPEC)


def run(url: str, scenario: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with api(url) as client:
            await scenario(client)

    asyncio.run(whole())


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("accept", "form", "expected"),
    [
        ("*/*", None, "text/html"),
        ("text/html,application/xml;q=0.9,*/*;q=0.8", None, "text/html"),
        ("text/markdown", None, "text/markdown"),
        ("application/x-tex", None, "application/x-tex"),
        ("text/html", "tex", "application/x-tex"),
        ("*/*", "md", "text/markdown"),
    ],
)
def test_query_and_accept_choose_the_format(url: str, job: str, accept: str, form: str | None, expected: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        params = {"format": form} if form else {}
        path, headers = f"/v1/jobs/{job}/report", {"Accept": accept}
        answer = await client.get(path, params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == f"{expected}; charset=utf-8"
        assert "Accept" in answer.headers["Vary"]
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert "two rates" in answer.text
        known = {**headers, "If-None-Match": answer.headers["ETag"]}
        again = await client.get(path, params=params, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        head = await client.head(path, params=params, headers=headers)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == answer.headers["ETag"]
        assert head.headers["Content-Length"] == answer.headers["Content-Length"]

    run(url, scenario)


def test_what_there_is_not_is_refused(url: str, job: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for path in ("report", "bundle"):
            assert (await client.get(f"/v1/jobs/{job}x/{path}")).status_code == 404
        answer = await client.get(f"/v1/jobs/{job}/report", params={"format": "pdf"})
        assert answer.status_code == 422
        assert "'html', 'md' or 'tex'" in answer.json()["detail"]
        assert (await client.get(f"/v1/jobs/{job}/report", headers={"Accept": "image/png"})).status_code == 406

    run(url, scenario)


def test_a_bundle_holds_what_the_other_routes_give(url: str, job: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        here = f"/v1/jobs/{job}"
        answer = await client.get(f"{here}/bundle")
        assert answer.headers["Content-Type"] == "application/zip"
        stored = (await client.get(here)).json()
        with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
            assert bundle.testzip() is None
            assert tuple(bundle.namelist()) == MEMBERS
            assert json.loads(bundle.read("spec.json")) == stored["spec"]
            receipt = json.loads(bundle.read("receipt.json"))
            assert receipt == {"job_id": job, "status": "completed", **stored["receipt"]}
            assert receipt["processor"]
            assert bundle.read("comparison.json") == (await client.get(f"{here}/comparison")).content
            assert bundle.read("histories.parquet") == (await client.get(f"{here}/metrics?format=parquet")).content
            assert pq.read_table(io.BytesIO(bundle.read("histories.parquet"))).num_rows == 12 * 6
            assert "ravine verify bundle.zip" in bundle.read("README.txt").decode()
        assert stored["links"]["report"] == f"{here}/report"
        assert stored["links"]["bundle"] == f"{here}/bundle"

    run(url, scenario)


def test_a_bundle_has_equal_bytes_parts_and_conditional_answers(url: str, job: str) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        path = f"/v1/jobs/{job}/bundle"
        whole = await client.get(path)
        assert (await client.get(path)).content == whole.content
        head = await client.head(path)
        assert int(head.headers["Content-Length"]) == len(whole.content)
        part = await client.get(path, headers={"Range": "bytes=100-199", "Accept-Encoding": "identity"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert (await client.get(path, headers={"If-None-Match": whole.headers["ETag"]})).status_code == 304

    run(url, scenario)


def test_a_job_that_has_not_ended_has_a_report_of_its_rows_and_no_bundle(url: str) -> None:
    with closing(Database(url)) as database:
        running = Stored(database)
        running.store(0, 3)

        async def scenario(client: httpx.AsyncClient) -> None:
            answer = await client.get(f"/v1/jobs/{running.id}/bundle")
            assert answer.status_code == 409
            assert "has not ended" in answer.json()["detail"]
            path = f"/v1/jobs/{running.id}/report?format=md"
            first = await client.get(path)
            running.store(0, 3)
            second = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
            assert second.status_code == 200
            assert second.headers["ETag"] != first.headers["ETag"]

        run(url, scenario)

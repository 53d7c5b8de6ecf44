"""`GET /v1/usage` and the quota over HTTP: what a key stores, with limits, and the way out above them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from service.api.app import create_app
from service.database.connection import Database
from service.database.metric_rows import Metric
from service.jobs.owners import create
from service.settings import Settings
from tests.jobs.test_quotas import ROWS
from tests.queued import count, remove_rows
from tests.stored import SPEC, Stored

NO_BROKER = "redis://127.0.0.1:1/0"


@asynccontextmanager
async def api(url: str, key: str = "", **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(Settings(database_url=url, broker_url=NO_BROKER, **settings))
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    here = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=here, base_url="http://127.0.0.1", headers=headers) as client,
    ):
        yield client


def test_usage_has_jobs_runs_rows_bytes_and_work_of_the_key_with_limits(database: Database, database_url: str) -> None:
    with database.transaction() as session:
        ann, bob = (create(session, name)[1] for name in ("ann", "bob"))

    async def scenario() -> None:
        async with api(database_url, ann, max_stored_rows=2 * ROWS) as client:
            assert (await client.post("/v1/jobs", json=SPEC)).status_code == 202
            found = (await client.get("/v1/usage")).json()
            other = (await client.get("/v1/usage", headers={"Authorization": f"Bearer {bob}"})).json()
        assert found["jobs"] == {"stored": 1, "open": 1, "limit": 10_000}
        assert (found["runs"]["stored"], found["runs"]["open"]) == (6, 6)
        assert found["rows"] == {"stored": 0, "open": ROWS, "limit": 2 * ROWS}
        assert (found["bytes"]["stored"], found["bytes"]["limit"]) == (0, 50_000_000_000)
        assert 100 * ROWS < found["bytes"]["open"] < 200 * ROWS
        assert found["work"] == {"open": 6 * 9 * 2, "limit": 1e14}
        assert other["jobs"]["stored"] == other["rows"]["open"] == 0

    asyncio.run(scenario())


def test_a_job_above_the_quota_is_429_until_jobs_are_deleted(database: Database, database_url: str) -> None:
    async def scenario() -> None:
        # The sweep of this API removes nothing.
        async with api(database_url, max_stored_rows=2 * ROWS, sweep_seconds=3_600) as client:
            jobs = [(await client.post("/v1/jobs", json=SPEC)).json()["id"] for _ in range(2)]
            refused = await client.post("/v1/jobs", json=SPEC)
            assert refused.status_code == 429
            assert refused.headers["content-type"] == "application/problem+json"
            assert refused.headers["retry-after"]
            assert refused.json()["title"] == "Storage quota reached"
            assert "delete jobs" in refused.json()["detail"]
            assert (await client.post("/v1/jobs?dry_run=true", json=SPEC)).status_code == 200
            assert (await client.delete(f"/v1/jobs/{jobs[0]}")).status_code == 204
            assert (await client.get(f"/v1/jobs/{jobs[0]}")).status_code == 404
            remove_rows(database)
            assert (await client.post("/v1/jobs", json=SPEC)).status_code == 202

    asyncio.run(scenario())


def test_the_api_removes_the_rows_of_deleted_jobs_by_itself(
    new_database: Callable[[str], str], open_database: Callable[[str], Database]
) -> None:
    url = new_database("sqlite")
    database = open_database(url)
    stored = Stored(database)
    stored.finish()

    async def scenario() -> None:
        async with api(url, sweep_seconds=0.02) as client:
            assert (await client.delete(f"/v1/jobs/{stored.id}")).status_code == 204
            assert (await client.get(f"/v1/jobs/{stored.id}/runs")).status_code == 404
            async with asyncio.timeout(30):
                while count(database, Metric):
                    await asyncio.sleep(0.02)

    asyncio.run(scenario())

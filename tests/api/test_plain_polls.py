"""A plain request for a status is answered before the middleware, as any other request for it is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.api.app import create_app
from service.database.connection import Database
from service.jobs import owners
from service.settings import Settings
from tests.stored import Stored

NO_BROKER = "redis://127.0.0.1:1/0"
# A header that the short way does not know.
OTHER = {"X-Other": "1"}


def with_api(url: str, scenario: Callable[[httpx.AsyncClient, FastAPI], Awaitable[None]]) -> None:
    """Run a scenario with a client of an API in this process."""

    async def run() -> None:
        app = create_app(Settings(database_url=url, broker_url=NO_BROKER))
        here = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=here, base_url="http://127.0.0.1") as client,
        ):
            # From now on it is cached for a second whether keys are required.
            await client.get("/v1/usage")
            await scenario(client, app)

    asyncio.run(run())


async def both(client: httpx.AsyncClient, path: str, **headers: str) -> tuple[int, httpx.Headers]:
    """Request a path both ways, check that the answers are equal, and give the status and the headers."""
    plain, other = [await client.get(path, headers=headers | more) for more in ({}, OTHER)]
    assert plain.status_code == other.status_code
    assert plain.content == other.content
    kept = [{name: value for name, value in one.headers.items() if name != "x-request-id"} for one in (plain, other)]
    assert kept[0] == kept[1]
    assert len(plain.headers.get_list("x-request-id")) == 1
    return plain.status_code, plain.headers


def test_answers_have_the_status_headers_and_body_of_the_long_way(database: Database, database_url: str) -> None:
    path = f"/v1/jobs/{Stored(database).id}"

    async def scenario(client: httpx.AsyncClient, _: FastAPI) -> None:
        status, headers = await both(client, path)
        assert status == 200
        tag = headers["etag"]
        for known in (tag, f'W/{tag}, "other"', "*", f'{tag[:-1]}-gzip"'):
            assert (await both(client, path, **{"If-None-Match": known}))[0] == 304
        assert (await both(client, path, **{"If-None-Match": '"other"'}))[0] == 200
        for accept, expected in (("application/json", 200), ("text/csv", 406), ("application/*;q=0.1", 200)):
            assert (await both(client, path, Accept=accept))[0] == expected
        assert (await both(client, path + "?x=1"))[0] == 200

    with_api(database_url, scenario)


def test_errors_are_those_of_the_long_way(database: Database, database_url: str) -> None:
    path = f"/v1/jobs/{Stored(database).id}"

    async def scenario(client: httpx.AsyncClient, _: FastAPI) -> None:
        assert (await both(client, path[:-1] + ("0" if path[-1] != "0" else "1")))[0] == 404
        assert (await both(client, "/v1/jobs/" + "é" * 36))[0] == 404
        assert (await both(client, path, Host="evil.example"))[0] == 400
        assert (await both(client, path, **{"X-Forwarded-For": "10.0.0.1"}))[0] == 403

    with_api(database_url, scenario)


def test_keys_are_checked(database: Database, database_url: str) -> None:
    path = f"/v1/jobs/{Stored(database).id}"
    with database.transaction() as session:
        admin, other = (owners.create(session, name, is_admin=is_admin)[1] for name, is_admin in (("a", 1), ("b", 0)))

    async def scenario(client: httpx.AsyncClient, _: FastAPI) -> None:
        assert (await both(client, path))[0] == 401
        for key, expected in ((admin, 200), (other, 404), ("wrong", 401)):
            for _ in range(2):
                assert (await both(client, path, Authorization=f"Bearer {key}"))[0] == expected

    with_api(database_url, scenario)


def test_the_metrics_count_plain_requests_under_their_route(database: Database, database_url: str) -> None:
    path = f"/v1/jobs/{Stored(database).id}"
    labels = {"method": "GET", "route": "/v1/jobs/{job_id}", "status": "200"}

    async def scenario(client: httpx.AsyncClient, app: FastAPI) -> None:
        await both(client, path)
        registry = app.state.measures.registry
        assert registry.get_sample_value("ravine_http_request_duration_seconds_count", labels) == 2

    with_api(database_url, scenario)


def test_plain_requests_do_not_reach_the_routing(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/jobs/{Stored(database).id}"

    async def scenario(client: httpx.AsyncClient, app: FastAPI) -> None:
        routed: list[str] = []
        route = app.router.middleware_stack

        async def noted(scope: Any, receive: Any, send: Any) -> None:
            routed.append(scope["path"])
            await route(scope, receive, send)

        monkeypatch.setattr(app.router, "middleware_stack", noted)
        for _ in range(3):
            assert (await client.get(path)).status_code == 200
        assert routed == []
        assert (await client.get(path, headers=OTHER)).status_code == 200
        assert routed == [path]

    with_api(database_url, scenario)

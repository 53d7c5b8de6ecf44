"""Sixty heavy reads of one key at once: other keys are served, and each key sees its own jobs only."""

import asyncio
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute

from service.api import routes
from service.api.turns.routes import TurnRoute
from service.api.turns.work import Kind
from service.database.connection import Database
from service.jobs.owners import caller_of, create
from tests.servers import Api, Broker
from tests.stored import Stored

MAX_WAITING = 20


class Keys:
    """An API, the keys of two owners and of an admin, and a completed job of the first owner."""

    def __init__(self, url: str, broker_url: str, folder: Any) -> None:
        with closing(Database(url)) as database:
            with database.transaction() as session:
                self.one, self.other = (create(session, name)[1] for name in ("one", "other"))
                self.admin = create(session, "admin", is_admin=True)[1]
            stored = Stored(database, owner=caller_of(self.one, is_admin=False).id)
            stored.finish()
        self.job = f"/v1/jobs/{stored.id}"
        env = {"RAVINE_MAX_WAITING_PER_KEY": str(MAX_WAITING), "RAVINE_MAX_STREAMS": "2"}
        self.api = Api(url, broker_url, folder, env=env)

    def client(self, key: str) -> httpx.AsyncClient:
        limits = httpx.Limits(max_connections=100)
        return httpx.AsyncClient(
            base_url=self.api.url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=60.0,
            trust_env=False,
            limits=limits,
        )


@pytest.fixture(scope="module")
def keys(
    new_database: Callable[[str], str], broker: Broker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Keys]:
    made = Keys(new_database("sqlite"), broker.new_url(), tmp_path_factory.mktemp("heavy"))
    with made.api:
        yield made


@pytest.mark.slow
def test_sixty_comparisons_are_answered_or_429_and_another_key_is_served(keys: Keys) -> None:
    async def test() -> None:
        async with keys.client(keys.one) as one, keys.client(keys.other) as other:
            asked = [
                asyncio.create_task(one.get(f"{keys.job}/comparison", params={"target": number}))
                for number in range(60)
            ]
            await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
            assert (await other.get("/v1/jobs")).status_code == 200
            assert (await one.get(keys.job)).status_code == 200
            answers = await asyncio.gather(*asked)
            refused = [answer for answer in answers if answer.status_code == 429]
            assert len(answers) - len(refused) >= MAX_WAITING
            assert {answer.status_code for answer in answers} == {200, 429}
            for answer in refused:
                assert answer.headers["content-type"] == "application/problem+json"
                assert int(answer.headers["retry-after"]) > 0
                assert answer.json()["title"] == "Too many waiting requests"

    asyncio.run(test())


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("path", ["comparison", "grid", "plot.svg", "metrics", "runs?format=csv"])
def test_an_answer_that_is_kept_or_shared_is_no_answer_to_another_key(keys: Keys, path: str) -> None:
    async def test() -> None:
        async with keys.client(keys.one) as one, keys.client(keys.other) as other, keys.client(keys.admin) as admin:
            for _ in range(2):
                answers = await asyncio.gather(*(client.get(f"{keys.job}/{path}") for client in (one, other, admin)))
                expected = 422 if path == "grid" else 200
                assert [answer.status_code for answer in answers] == [expected, 404, expected]
            across = f"/v1/comparison?jobs={keys.job.removeprefix('/v1/jobs/')}"
            answers = await asyncio.gather(*(client.get(across) for client in (one, other, admin)))
            assert [answer.status_code for answer in answers] == [200, 404, 200]

    asyncio.run(test())


def test_the_same_question_at_once_has_the_same_bytes(keys: Keys) -> None:
    async def test() -> None:
        async with keys.client(keys.one) as one:
            path = f"{keys.job}/comparison?target=0.123"
            answers = await asyncio.gather(*(one.get(path) for _ in range(MAX_WAITING)))
            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.content for answer in answers}) == 1
            assert len({answer.headers["etag"] for answer in answers}) == 1

    asyncio.run(test())


def test_an_error_is_an_error_of_all_requests_that_ask_the_same(keys: Keys) -> None:
    async def test() -> None:
        async with keys.client(keys.one) as one:
            answers = await asyncio.gather(*(one.get(f"{keys.job}/comparison?baseline=none") for _ in range(5)))
            assert {answer.status_code for answer in answers} == {422}
            assert {answer.json()["errors"][0]["loc"][1] for answer in answers} == {"baseline"}

    asyncio.run(test())


def test_every_route_takes_turns_or_is_a_coroutine_that_takes_what_it_needs() -> None:
    modules = [
        importlib.import_module(f"service.api.routes.{one.name}") for one in pkgutil.iter_modules(routes.__path__)
    ]
    guarded = [
        route
        for module in modules
        for route in getattr(module, "router", APIRouter()).routes
        if isinstance(route, APIRoute) and route.path.startswith("/v1")
    ]
    assert len(guarded) > 20
    for route in guarded:
        assert isinstance(route, TurnRoute) or inspect.iscoroutinefunction(route.endpoint), route.path
    kinds = {
        (next(iter(route.methods or ())), route.path): route.turn_kind()
        for route in guarded
        if isinstance(route, TurnRoute)
    }
    assert kinds["POST", "/v1/jobs"] == Kind.CREATE
    assert kinds["DELETE", "/v1/jobs/{job_id}"] == Kind.WRITE
    assert kinds["GET", "/v1/jobs"] == Kind.READ
    assert kinds["POST", "/v1/landscape"] == kinds["POST", "/v1/theory"] == Kind.PIECE
    assert kinds["GET", "/v1/jobs/{job_id}"] is None

"""Jobs that are posted at once are stored by one transaction; each is answered, or refused, on its own."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from service.api.creations import Creations, Stored
from service.database.connection import Database
from service.database.tables import Job, Shard
from service.errors import QuotaReached, Rejected, TooMuchOpen
from service.jobs.creating import Order
from service.settings import Settings
from service.spec.job import JobSpec
from service.spec.price import price
from tests.api.test_usage import api
from tests.queued import SPEC, count
from tests.stored import SPEC as POSTED


class Noted:
    """A dispatcher that notes what it is to send."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, int]] = []

    def send(self, channel: str, num: int = 1) -> None:
        self.sent.append((channel, num))


def order(**given: Any) -> Order:
    spec = JobSpec.model_validate(SPEC | given.pop("changes", {}))
    return Order(spec, price(spec), **given)


def store(
    database: Database, orders: list[Order], **settings: Any
) -> tuple[list[Stored | BaseException], list[str], Noted]:
    """Store orders at once; give the answers, the kinds of transactions, and what was sent."""
    kinds: list[str] = []
    watched = Database(database.url.render_as_string(hide_password=False), timed=lambda kind, _: kinds.append(kind))
    noted = Noted()
    creations = Creations(watched, noted, Settings(**settings))  # type: ignore[arg-type]

    async def run() -> list[Stored | BaseException]:
        return await asyncio.gather(*(creations.store(one) for one in orders), return_exceptions=True)

    try:
        return asyncio.run(run()), kinds, noted
    finally:
        watched.close()


def test_jobs_posted_at_once_share_a_transaction_and_their_messages(database: Database) -> None:
    found, kinds, noted = store(database, [order(owner=f"owner {number % 3}") for number in range(9)])
    assert kinds == ["write"]
    assert noted.sent == [("interactive", 9)]
    ids = [one.id for one in found if isinstance(one, Stored)]
    with database.snapshot() as session:
        stored = list(session.execute(select(Job.id, Job.owner).order_by(Job.key)))
        shards = session.execute(select(func.count()).select_from(Shard).group_by(Shard.job_key)).scalars().all()
    # In the order of their arrival.
    assert [(one.id, one.owner) for one in stored] == [(id_, f"owner {at % 3}") for at, id_ in enumerate(ids)]
    assert list(shards) == [1] * 9


def test_limits_count_the_jobs_of_the_same_transaction(database: Database) -> None:
    found, _, _ = store(database, [order(owner="a") for _ in range(5)] + [order(owner="b")], max_open_jobs=3)
    assert [type(one) for one in found] == [Stored] * 3 + [TooMuchOpen] * 2 + [Stored]
    assert count(database, Job) == 4
    rows = order().size.rows
    found, _, _ = store(database, [order(owner="c") for _ in range(4)], max_stored_rows=2 * rows)
    assert [type(one) for one in found] == [Stored] * 2 + [QuotaReached] * 2


def test_an_idempotency_key_gives_one_job_in_one_transaction_too(database: Database) -> None:
    longer = {"changes": {"epochs": 5}}
    keyed = [order(idempotency_key="k"), order(idempotency_key="k"), order(idempotency_key="k", **longer), order()]
    found, _, noted = store(database, keyed)
    first, again, other, last = found
    assert isinstance(first, Stored)
    assert again == first
    assert isinstance(other, Rejected)
    assert isinstance(last, Stored)
    assert count(database, Job) == 2
    assert noted.sent == [("interactive", 2)]


def test_a_job_that_the_database_refuses_does_not_take_the_others_along(database: Database) -> None:
    wrong = order()
    wrong.columns["problem"] = None
    found, _, _ = store(database, [order(), wrong, order()])
    assert [isinstance(one, Stored) for one in found] == [True, False, True]
    assert isinstance(found[1], Exception)
    assert count(database, Job) == 2


def test_a_job_of_many_shards_is_stored_by_a_transaction_of_its_own(database: Database) -> None:
    large = order(changes={"seeds": {"count": 1_000}})
    large = replace(large, cost=replace(large.cost, shard_runs=1))
    assert large.cost.num_shards > 1_000
    found, kinds, _ = store(database, [order(), large, order()])
    assert all(isinstance(one, Stored) for one in found)
    assert kinds == ["write"] * 3


@pytest.mark.parametrize("headers", [{}, {"Accept": "application/json"}, {"Idempotency-Key": "k"}, {"X-Other": "1"}])
def test_plain_and_other_requests_create_the_same_job(
    database: Database, database_url: str, headers: dict[str, str]
) -> None:
    async def scenario() -> None:
        async with api(database_url) as client:
            made = await client.post("/v1/jobs", json=POSTED, headers=headers)
            read = await client.get(made.headers["location"])
        assert made.status_code == 202
        assert made.headers["content-type"] == "application/json"
        assert made.json() == read.json()
        assert made.json()["spec"] == JobSpec.model_validate(POSTED).as_dict()

    asyncio.run(scenario())


def test_errors_of_a_plain_body_have_their_place(database: Database, database_url: str) -> None:
    async def scenario() -> list[httpx.Response]:
        async with api(database_url) as client:
            json_ = {"Content-Type": "application/json"}
            return [
                await client.post("/v1/jobs", json={**POSTED, "epochs": 0}),
                await client.post("/v1/jobs", content=b"{", headers=json_),
                await client.post("/v1/jobs", content=b"[" * 5_000, headers=json_),
                await client.post("/v1/jobs", content=b"", headers=json_),
                await client.post("/v1/jobs", json=POSTED, headers={"Accept": "text/csv"}),
                await client.post("/v1/jobs?dry_run=perhaps", json=POSTED),
            ]

    answers = asyncio.run(scenario())
    assert [one.status_code for one in answers] == [422, 422, 422, 422, 406, 422]
    assert answers[0].json()["errors"][0]["loc"] == ["body", "epochs"]
    assert all(one.headers["content-type"] == "application/problem+json" for one in answers)
    assert count(database, Job) == 0

"""Limits of the open work of a caller, and answers while the database is unavailable."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from service.database.connection import Database
from service.database.outages import why_unavailable
from service.jobs.owners import create
from tests.postgres import Postgres
from tests.servers import Api, Broker, until

SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}
# 31 parameters, 16 updates an epoch.
WORK = 31 * 16


def client_of(api: Api, key: str = "") -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Client(base_url=api.url, timeout=30.0, trust_env=False, headers=headers)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def owners(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """Clients of two owners, each limited to four open jobs and the work of ten epochs."""
    url = new_database(request.param)
    with closing(Database(url)) as database, database.transaction() as session:
        one, other = (create(session, name)[1] for name in ("one", "other"))
    env = {"RAVINE_MAX_OPEN_JOBS": "4", "RAVINE_MAX_OPEN_WORK": str(10 * WORK)}
    with (
        Api(url, broker.new_url(), tmp_path_factory.mktemp("limits"), env=env) as api,
        client_of(api, one) as first,
        client_of(api, other) as second,
    ):
        yield first, second


@pytest.fixture(autouse=True)
def _nothing_open(request: pytest.FixtureRequest) -> Iterator[None]:
    """Cancel all jobs, so that every test of the limits begins without open jobs."""
    yield
    if "owners" in request.fixturenames:
        for client in request.getfixturevalue("owners"):
            for job in client.get("/v1/jobs", params={"limit": 500}).json()["items"]:
                client.post(f"/v1/jobs/{job['id']}/cancel")


@pytest.mark.slow(after=1)
def test_more_open_jobs_than_allowed_are_429_until_one_has_ended(owners: tuple[httpx.Client, httpx.Client]) -> None:
    one, other = owners
    key = {"Idempotency-Key": str(uuid4())}
    jobs = [one.post("/v1/jobs", json=SPEC, headers=key if number == 0 else {}).json() for number in range(4)]
    refused = one.post("/v1/jobs", json=SPEC)
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) > 0
    assert "at most 4" in refused.json()["detail"]
    # A repeated request gives the accepted job although the limit is reached, and other owners have separate limits.
    assert one.post("/v1/jobs", json=SPEC, headers=key).json()["id"] == jobs[0]["id"]
    assert other.post("/v1/jobs", json=SPEC).status_code == 202
    assert one.post("/v1/jobs?dry_run=true", json=SPEC).status_code == 200
    one.post(f"/v1/jobs/{jobs[1]['id']}/cancel")
    assert one.post("/v1/jobs", json=SPEC).status_code == 202
    assert one.post("/v1/jobs", json=SPEC).status_code == 429


@pytest.mark.slow(after=1)
def test_concurrent_requests_count_each_other(owners: tuple[httpx.Client, httpx.Client]) -> None:
    one, _ = owners
    with ThreadPoolExecutor(12) as threads:
        statuses = [answer.status_code for answer in threads.map(lambda _: one.post("/v1/jobs", json=SPEC), range(12))]
    assert sorted(statuses) == [202] * 4 + [429] * 8


def test_more_open_work_than_allowed_is_429_but_a_single_job_is_accepted(
    owners: tuple[httpx.Client, httpx.Client],
) -> None:
    one, other = owners
    assert one.post("/v1/jobs", json=SPEC | {"epochs": 6}).status_code == 202
    refused = one.post("/v1/jobs", json=SPEC | {"epochs": 5})
    assert refused.status_code == 429
    assert f"{11 * WORK:,}" in refused.json()["detail"]
    assert one.post("/v1/jobs", json=SPEC | {"epochs": 4}).status_code == 202
    assert other.post("/v1/jobs", json=SPEC | {"epochs": 100}).status_code == 202


@pytest.mark.slow
def test_an_unavailable_database_is_503_and_accepted_jobs_are_kept(
    postgres: Postgres, new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    url = new_database("postgresql")
    name = make_url(url).database
    with Api(url, broker.new_url(), tmp_path) as api, client_of(api) as client:
        job = client.post("/v1/jobs", json=SPEC).json()
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        for method, path in (("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("GET", f"/v1/jobs/{job['id']}")):
            answer = client.request(method, path, json=SPEC if method == "POST" else None)
            assert answer.status_code == 503, answer.text
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) > 0
            # The message of the driver contains the socket, the database and the user.
            assert not {name, postgres.socket_dir, "postgres"} & set(answer.text.replace('"', " ").split())
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        postgres.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        until(lambda: client.get("/readyz").status_code == 200)
        assert client.get(f"/v1/jobs/{job['id']}").json()["id"] == job["id"]

        postgres.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        until(lambda: client.get("/v1/jobs").status_code == 200)
        answer = client.post("/v1/jobs", json=SPEC)
        assert answer.status_code == 503
        assert "read-only" in answer.json()["detail"]


def test_a_locked_sqlite_file_is_503_for_writers_and_readable(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    url = new_database("sqlite")
    with Api(f"{url}?timeout=0.2", broker.new_url(), tmp_path) as api, client_of(api) as client:
        with closing(sqlite3.connect(make_url(url).database or "", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = client.post("/v1/jobs", json=SPEC)
            assert answer.status_code == 503
            assert "locked" in answer.json()["detail"]
            assert int(answer.headers["retry-after"]) > 0
            assert client.get("/v1/jobs").json()["items"] == []
            other.execute("ROLLBACK")
        assert client.post("/v1/jobs", json=SPEC).status_code == 202


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        ("PRAGMA query_only = on", "is read-only"),
        ("PRAGMA max_page_count = 1", "has no disk space left"),
    ],
)
def test_a_sqlite_file_that_cannot_be_written_is_unavailable_with_the_reason(
    tmp_path: Path, spoil: str, reason: str
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'spoilt.db'}")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE rows (value TEXT)"))
        connection.commit()
        connection.execute(text(spoil))
        with pytest.raises(DBAPIError) as caught:
            connection.execute(text("INSERT INTO rows VALUES (:value)"), {"value": "x" * 1_000_000})
    engine.dispose()
    assert why_unavailable(caught.value) == reason


def test_an_invalid_statement_is_not_503(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT nonsense FROM"))
    engine.dispose()
    assert why_unavailable(caught.value) is None

"""API keys: authentication, owners, admins, and the loopback address without keys."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner, Result

from service.api.doors.authentication import CACHE_SECONDS
from service.cli import keys as key_commands
from service.database.accounts import ApiKey
from tests.keyed_api import SETTING, KeyedApi
from tests.servers import Api, Broker, until

SPEC: dict[str, Any] = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KeyedApi]:
    env = {"RAVINE_API_KEY": SETTING}
    folder = tmp_path_factory.mktemp("keys")
    with Api(new_database(request.param), broker.new_url(), folder, env=env) as api, closing(KeyedApi(api)) as server:
        yield server


@pytest.fixture(scope="module")
def clients(server: KeyedApi) -> Iterator[tuple[httpx.Client, httpx.Client, httpx.Client]]:
    """Clients of two owners and of an admin."""
    made = server.new_key(), server.new_key(), server.new_key(is_admin=True)
    with server.client(made[0]) as one, server.client(made[1]) as other, server.client(made[2]) as admin:
        yield one, other, admin


@pytest.mark.slow(after=1)
def test_every_route_of_v1_requires_a_key_and_names_the_scheme(server: KeyedApi) -> None:
    with server.client() as anonymous_client:
        document = anonymous_client.get("/openapi.json").json()
        num_requests = 0
        for path, item in document["paths"].items():
            for method in item:
                answer = anonymous_client.request(method, path.replace("{", "").replace("}", ""))
                if not path.startswith(("/v1/", "/metrics")):
                    assert answer.status_code == 200, path
                    continue
                num_requests += 1
                assert answer.status_code == 401, (method, path)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert answer.headers["content-type"] == "application/problem+json"
                assert "ravine keys create" in answer.json()["detail"]
    assert (
        num_requests
        == sum(path.startswith(("/v1/", "/metrics")) and len(item) for path, item in document["paths"].items())
        > 12
    )


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    "header", [
        "", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz", "Bearer ravine_", f"Basic {SETTING}", "\xff",
    ],
)  # fmt: skip
def test_a_wrong_key_is_401(server: KeyedApi, header: str) -> None:
    with server.client() as client:
        answer = client.get("/v1/jobs", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


@pytest.mark.slow(after=1)
def test_the_key_of_the_setting_is_an_admin_key(server: KeyedApi, clients: tuple[httpx.Client, ...]) -> None:
    job = clients[0].post("/v1/jobs", json=SPEC).json()
    with server.client(SETTING) as client:
        assert client.get(f"/v1/jobs/{job['id']}").status_code == 200


def test_a_key_is_shown_once_and_only_its_hash_is_stored(server: KeyedApi) -> None:
    key = server.new_key()
    with server.database.snapshot() as session:
        rows = session.execute(select(ApiKey)).scalars().all()
        everything = str(session.execute(text("SELECT * FROM api_keys")).all())
    assert key not in everything
    assert key.removeprefix("ravine_") not in everything
    assert all(len(row.sha256) == 64 for row in rows)


def test_no_key_is_in_the_log(server: KeyedApi, clients: tuple[httpx.Client, ...]) -> None:
    wrong = f"ravine_{uuid4().hex}"
    with server.client(wrong) as client:
        client.get("/v1/jobs")
        client.post("/v1/jobs", content=b"{")
    with server.client(SETTING) as client:
        client.post("/v1/jobs", json=SPEC | {"epochs": 0})
    log = server.api.log()
    secrets = [wrong, SETTING, *(str(client.headers["authorization"]).split()[1] for client in clients)]
    assert not [secret for secret in secrets if secret in log]


@pytest.mark.slow(after=1)
def test_a_job_of_another_owner_is_404(clients: tuple[httpx.Client, ...]) -> None:
    one, other, admin = clients
    job = one.post("/v1/jobs", json=SPEC | {"name": f"mine {uuid4()}"}).json()
    here = f"/v1/jobs/{job['id']}"
    run = one.get(f"{here}/runs").json()["items"][0]
    paths = [
        ("GET", here), ("GET", f"{here}/runs"), ("GET", f"{here}/metrics"), ("POST", f"{here}/cancel"),
        ("DELETE", here),
        ("GET", f"/v1/runs/{run['id']}"), ("GET", f"/v1/runs/{run['id']}/metrics"),
        ("GET", f"/v1/runs/{run['id']}/decision"),
    ]  # fmt: skip
    nothing = str(uuid4())
    for method, path in paths:
        answer = other.request(method, path)
        assert answer.status_code == 404, (method, path)
        # The message is the same as for a job that does not exist.
        unknown = other.request(method, path.replace(run["id"], nothing).replace(job["id"], nothing))
        detail, unknown_detail = answer.json()["detail"], unknown.json()["detail"]
        assert detail.replace(run["id"], nothing).replace(job["id"], nothing) == unknown_detail
    assert other.patch(here, json={"note": "mine"}).status_code == 404
    assert other.get("/v1/jobs", params={"name": job["name"]}).json()["items"] == []
    for client in (one, admin):
        assert [found["id"] for found in client.get("/v1/jobs", params={"name": job["name"]}).json()["items"]] == [
            job["id"]
        ]
        assert client.get(here).json()["id"] == job["id"]
    assert one.get(here).json()["status"] == "queued"
    assert admin.post(f"{here}/cancel").status_code == 202
    assert one.delete(here).status_code == 204


def test_idempotency_keys_of_owners_are_independent(clients: tuple[httpx.Client, ...]) -> None:
    one, other, _ = clients
    header = {"Idempotency-Key": str(uuid4())}
    first = one.post("/v1/jobs", json=SPEC, headers=header).json()["id"]
    answer = other.post("/v1/jobs", json=SPEC | {"epochs": 2}, headers=header)
    assert answer.status_code == 202
    assert answer.json()["id"] != first
    assert one.post("/v1/jobs", json=SPEC, headers=header).json()["id"] == first


def test_a_revoked_key_is_rejected_after_a_second(server: KeyedApi) -> None:
    with server.client(server.new_key("for a while")) as client:
        assert client.get("/v1/jobs").status_code == 200
        server.revoke("for a while")
        until(lambda: client.get("/v1/jobs").status_code == 401, seconds=CACHE_SECONDS + 10)


@pytest.mark.slow
def test_keys_are_created_listed_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    def ravine_keys(*arguments: str) -> Result:
        return CliRunner().invoke(key_commands.app, [*arguments, "--data-dir", str(tmp_path)])

    made = ravine_keys("create", "--name", "ann", "--admin")
    assert made.exit_code == 0
    assert re.fullmatch(r"ravine_[\w-]{43}\n", made.stdout)
    shown = ravine_keys("list").stdout
    assert "ann" in shown
    assert "admin" in shown
    assert made.stdout.strip() not in shown
    taken = ravine_keys("create", "--name", "ann")
    assert (taken.exit_code, taken.stdout) == (1, "")
    assert "choose another name" in taken.stderr
    assert ravine_keys("revoke", shown.split()[0]).exit_code == 0
    again = ravine_keys("revoke", "ann")
    assert again.exit_code == 1
    assert "no valid key" in again.stderr
    assert "revoked" in ravine_keys("list").stdout
    assert ravine_keys("create", "--name", "a\nb").exit_code != 0

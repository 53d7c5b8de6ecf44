"""Lessons belong to the installation: admins run them, every caller reads them, and a verdict stays until the next."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.database.connection import Database
from service.findings.ledger import records as ledger
from service.findings.lessons import LESSONS
from service.findings.lessons.finding import Finding, number
from service.jobs import owners
from tests.servers import Api, Broker

SETTING = "the key of the setting, of more than 32 characters"


class KeyedApi:
    """An API that requires keys, without workers: jobs stay queued."""

    def __init__(self, api: Api) -> None:
        self.api, self.database = api, Database(api.database_url)

    def close(self) -> None:
        self.database.close()

    def client(self, key: str = "", *, is_admin: bool = False) -> httpx.Client:
        """A client with a key, by default a new one."""
        if not key:
            with self.database.transaction() as session:
                key = owners.create(session, str(uuid4()), is_admin=is_admin)[1]
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.api.url, timeout=30.0, trust_env=False, headers=headers)

    def judge(self, name: str, verdict: str, submitted_at: datetime | None = None) -> None:
        """Store a verdict, of the jobs submitted last or of earlier ones."""
        with self.database.transaction() as session:
            record = ledger.records(session)[name]
            session.expunge(record)
            record.submitted_at = submitted_at or record.submitted_at
            ledger.keep(session, record, Finding(verdict, [number("steps", len(verdict))]))

    def submitted_at(self, name: str) -> datetime:
        with self.database.snapshot() as session:
            return ledger.records(session)[name].submitted_at


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(
    request: pytest.FixtureRequest,
    new_database: Callable[[str], str],
    broker: Broker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[KeyedApi]:
    folder, env = tmp_path_factory.mktemp("lessons"), {"RAVINE_API_KEY": SETTING}
    with Api(new_database(request.param), broker.new_url(), folder, env=env) as api, closing(KeyedApi(api)) as server:
        yield server


@pytest.fixture
def admin(server: KeyedApi) -> Iterator[httpx.Client]:
    with server.client(is_admin=True) as client:
        yield client


@pytest.fixture
def user(server: KeyedApi) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def run(client: httpx.Client, name: str) -> dict[str, Any]:
    lesson: dict[str, Any] = client.post(f"/v1/lessons/{name}/jobs").raise_for_status().json()
    return lesson


def read(client: httpx.Client, name: str) -> dict[str, Any]:
    """A lesson, after a check that the list shows the same state and verdict."""
    lesson: dict[str, Any] = client.get(f"/v1/lessons/{name}").raise_for_status().json()
    listed = {item["id"]: item for item in client.get("/v1/lessons").raise_for_status().json()["items"]}[name]
    assert (listed["state"], listed["verdict"]) == (lesson["state"], lesson["verdict"])
    return lesson


@pytest.mark.slow(after=1)
def test_only_admins_run_lessons(server: KeyedApi, user: httpx.Client, admin: httpx.Client) -> None:
    for name in LESSONS:
        answer = user.post(f"/v1/lessons/{name}/jobs")
        assert answer.status_code == 403, name
        assert answer.headers["content-type"] == "application/problem+json"
        assert "ravine keys create --name NAME --admin" in answer.json()["detail"]
        assert LESSONS[name].presets[0] in answer.json()["detail"]
    assert user.post("/v1/lessons/nope/jobs").status_code == 404
    assert admin.get("/v1/jobs").json()["items"] == []
    assert {item["state"] for item in user.get("/v1/lessons").json()["items"]} == {"not run"}
    assert run(admin, "parabola-to-half")["state"] == "running"
    with server.client(SETTING) as operator:
        assert run(operator, "parabola-to-half")["state"] == "running"


def test_the_command_sends_the_key_and_ends_with_the_reason_of_a_refusal(
    server: KeyedApi, user: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAVINE_URL", server.api.url)
    key = user.headers["authorization"].removeprefix("Bearer ")
    for sent, reason in (("", "a key is needed"), ("wrong", "not known here"), (key, "--admin")):
        monkeypatch.setenv("RAVINE_API_KEY", sent)
        result = CliRunner().invoke(app, ["lessons", "--only", "parabola-sgd"])
        assert result.exit_code == 2
        assert reason in result.stderr


def test_other_callers_read_a_lesson_without_the_ids_of_its_jobs(
    server: KeyedApi, user: httpx.Client, admin: httpx.Client
) -> None:
    mine = run(admin, "parabola-sgd")["jobs"]
    server.judge("parabola-sgd", "holds")
    with server.client(is_admin=True) as other_admin:
        assert [job["id"] for job in read(other_admin, "parabola-sgd")["jobs"]] == [job["id"] for job in mine]
    lesson = read(user, "parabola-sgd")
    assert (lesson["verdict"], lesson["quantities"][0]["value"]) == ("holds", 5)
    assert [(job["preset"], job["status"]) for job in lesson["jobs"]] == [(job["preset"], "queued") for job in mine]
    assert [(job["id"], job["links"]) for job in lesson["jobs"]] == [(None, {}) for _ in mine]
    for job in mine:
        admin.post(f"/v1/jobs/{job['id']}/cancel").raise_for_status()
        admin.delete(f"/v1/jobs/{job['id']}").raise_for_status()
    # The owner of a deleted job is not known any more.
    deleted = user.get("/v1/lessons/parabola-sgd").text
    assert not [job["id"] for job in mine if job["id"] in deleted]


@pytest.mark.slow(after=1)
def test_a_verdict_stays_until_the_next_one(server: KeyedApi, user: httpx.Client, admin: httpx.Client) -> None:
    name = "parabola-velocity"
    run(admin, name)
    before = read(user, name)
    assert (before["state"], before["judged_at"]) == ("running", None)
    # The result of the package.
    assert before["stored"]["version"]
    assert before["quantities"]
    server.judge(name, "holds")
    first, earlier = read(user, name), server.submitted_at(name)
    assert (first["state"], first["verdict"], first["stored"]) == ("judged", "holds", None)
    assert first["judged_at"]

    jobs = run(admin, name)["jobs"]
    again = read(user, name)
    assert (again["state"], again["verdict"], again["judged_at"]) == ("running", "holds", None)
    assert again["quantities"] == first["quantities"]

    admin.post(f"/v1/jobs/{jobs[0]['id']}/cancel").raise_for_status()
    assert (read(user, name)["state"], read(user, name)["verdict"]) == ("stopped", "holds")

    run(admin, name)
    # A late verdict of the first jobs does not count as that of the last ones.
    server.judge(name, "late", earlier)
    assert (read(user, name)["state"], read(user, name)["verdict"]) == ("running", "holds")
    server.judge(name, "fails: it does not")
    last = read(user, name)
    assert (last["state"], last["verdict"]) == ("judged", "fails: it does not")
    assert last["quantities"] != first["quantities"]


def test_without_keys_every_caller_runs_lessons(
    new_database: Callable[[str], str], broker: Broker, tmp_path: Path
) -> None:
    with Api(new_database("sqlite"), broker.new_url(), tmp_path) as api:
        answer = httpx.post(f"{api.url}/v1/lessons/parabola-sgd/jobs", trust_env=False)
        assert answer.status_code == 202
        assert all(job["id"] and job["links"] for job in answer.json()["jobs"])

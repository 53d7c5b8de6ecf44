"""The services of docker-compose.yml train a job: see composed.py."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psycopg
import pytest
import redis

from tests.postgres import Postgres
from tests.production.composed import OURS, Composed, command_of
from tests.servers import end_now, wait_for_job


@pytest.fixture(scope="module")
def composed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    """All services."""
    with ExitStack() as resources:
        composed = Composed(postgres, tmp_path_factory.mktemp("compose"))
        resources.callback(end_now, composed.supervisor)
        composed.start_all()
        yield composed


@pytest.mark.parametrize("name", OURS)
def test_the_program_of_a_command_is_one_that_the_package_installs(name: str) -> None:
    assert Path(sys.executable).with_name(command_of(name)[0]).is_file()


@pytest.mark.slow
def test_a_job_is_trained_by_the_services_of_compose(composed: Composed) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
        "seeds": [1, 2],
        "epochs": 3,
    }
    key = {"Authorization": f"Bearer {composed.secrets['RAVINE_API_KEY']}"}
    with httpx.Client(base_url=composed.url, timeout=30.0, trust_env=False, headers=key) as client:
        assert client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        job = client.post("/v1/jobs", json=spec).raise_for_status().json()
        assert wait_for_job(client, job["id"])["status"] == "completed"
        histories = client.get(f"/v1/jobs/{job['id']}/metrics", params={"fields": "loss"}).json()["runs"]
    assert [history["epoch"] for history in histories] == [[0, 1, 2, 3]] * 4
    assert all(history["loss"][-1] < history["loss"][0] for history in histories)


@pytest.mark.slow
def test_all_health_checks_succeed(composed: Composed) -> None:
    composed.check_health()


@pytest.mark.slow
def test_the_broker_refuses_clients_without_its_password(composed: Composed) -> None:
    with closing(redis.Redis(port=composed.broker_port)) as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_of_the_broker_is_not_in_the_list_of_processes(composed: Composed) -> None:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert f"--port {composed.broker_port}" in listed or f":{composed.broker_port}" in listed
    # The shell that starts the server has the words of the script, with the name of the variable.
    assert composed.secrets["BROKER_PASSWORD"] not in listed


def test_the_user_of_the_application_owns_its_database_and_nothing_else(composed: Composed, postgres: Postgres) -> None:
    with psycopg.connect(host=postgres.socket_dir, user="ravine", dbname="ravine") as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb, rolcreaterole, rolreplication, pg_get_userbyid(datdba) "
            "FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
        ).fetchone()
    assert row == (False, False, False, False, "ravine")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(host=postgres.socket_dir, user="ravine", dbname="postgres").close()

"""docker-compose.yml and Dockerfile, tested without a container engine.

The command of each service runs with its environment as a process, with PostgreSQL and Valkey. Only the names of hosts,
which exist in the network of the containers, are replaced.
"""

import os
import re
import secrets
import shlex
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import make_url

from service.cli import doctor
from service.cli.local.console import Console
from service.cli.local.preconditions import find_broker
from service.cli.local.stack import is_ready
from service.cli.local.supervisor import Supervisor
from tests.servers import START_SECONDS, Postgres, accepts, end_now, free_port, wait_for_job

ROOT = Path(__file__).parents[1]
API_KEY = secrets.token_hex(32)
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
# The stages of the Dockerfile, each with its instructions.
STAGES = {
    name: re.findall(r"^([A-Z]+)\s+(.+)$", text, re.MULTILINE)
    for name, text in re.findall(r"^FROM \S+ AS (\w+)$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
}


def command_of(name: str) -> list[str]:
    """The command of a service: its own, or that of its image."""
    service = SERVICES[name]
    if "command" in service:
        command = service["command"]
        return list(command) if isinstance(command, list) else shlex.split(command)
    commands = [text for word, text in STAGES[service["build"]["target"]] if word == "CMD"]
    return list(yaml.safe_load(commands[-1]))


def test_every_service_that_compose_needs_is_there() -> None:
    assert set(SERVICES) == {"postgres", "valkey", "migrate", "api", "worker-interactive", "worker"}


@pytest.mark.parametrize("name", OURS)
def test_images_of_ravine_are_built_from_a_target_of_the_dockerfile(name: str) -> None:
    assert SERVICES[name]["build"]["target"] in STAGES
    assert re.fullmatch(r"ravine-(api|worker):\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_has_a_fixed_version(name: str) -> None:
    assert re.search(r":\d+(\.\d+)+", SERVICES[name]["image"])


def test_the_base_image_is_pinned() -> None:
    (base,) = re.findall(r"^FROM (\S+) AS base$", DOCKERFILE, re.MULTILINE)
    assert re.search(r":\d+\.\d+-", base)


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name: str) -> None:
    assert SERVICES[name]["user"] not in {"root", "0", 0}


@pytest.mark.parametrize("stage", ["api", "worker"])
def test_no_image_runs_as_root(stage: str) -> None:
    assert [text for word, text in STAGES[stage] if word == "USER"] == ["ravine"]


def test_the_api_image_has_no_torch() -> None:
    base = [text for word, text in STAGES["base"] + STAGES["api"] if word == "RUN"]
    assert not any("torch" in text or "worker" in text for text in base)


def test_the_worker_image_has_what_every_problem_needs() -> None:
    """The extra has torch and the packages of single problems; `ravine doctor` names one that is missing."""
    installs = [text for word, text in STAGES["worker"] if word == "RUN" and text.startswith("pip install")]
    assert any(re.search(r"\.\[[a-z,]*worker[a-z,]*\]", text) for text in installs)
    extra = " ".join(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["worker"])
    packages = {package for modules in doctor.EXTRA_MODULES.values() for package in modules.values()}
    assert all(package in extra for package in {"torch", *packages})


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"migrate"}))
def test_every_service_has_a_health_check(name: str) -> None:
    if "healthcheck" in SERVICES[name]:
        assert SERVICES[name]["healthcheck"]["test"]
    else:
        assert any(word == "HEALTHCHECK" for word, _ in STAGES[SERVICES[name]["build"]["target"]])


@pytest.mark.parametrize("name", SERVICES)
def test_services_are_restarted_after_a_crash(name: str) -> None:
    assert SERVICES[name]["restart"] == ("on-failure:3" if name == "migrate" else "unless-stopped")


@pytest.mark.parametrize("name", ["api", "worker", "worker-interactive"])
def test_api_and_workers_start_after_the_migration(name: str) -> None:
    assert SERVICES[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"


def test_only_the_api_is_published_and_only_on_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert list(published) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in published["api"])


def test_no_secret_is_in_the_files() -> None:
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if value is None:
                continue  # Taken from the shell or .env.
            if "PASSWORD" in name or "KEY" in name:
                assert re.fullmatch(r"\$\{(POSTGRES_PASSWORD|RAVINE_API_KEY):\?.+\}", value)
            assert "://" not in value or make_url(value).password is None
    assert "PASSWORD" not in DOCKERFILE
    assert "RAVINE_API_KEY" not in DOCKERFILE
    assert "*" in (ROOT / ".dockerignore").read_text().splitlines()


def test_the_address_of_a_collector_is_passed_to_api_and_workers() -> None:
    installs = [text for word, text in STAGES["base"] if word == "RUN" and "pip install" in text]
    assert any("[tracing]" in text for text in installs)
    for service in OURS.values():
        assert service["environment"].get("RAVINE_OTLP_ENDPOINT", "not passed on") is None


def test_only_the_api_has_the_admin_key() -> None:
    assert [name for name, service in SERVICES.items() if "RAVINE_API_KEY" in service.get("environment", {})] == ["api"]


@pytest.mark.parametrize("name", OURS)
def test_the_program_of_a_command_is_one_that_the_package_installs(name: str) -> None:
    assert Path(sys.executable).with_name(command_of(name)[0]).is_file()


class Containers:
    """The services of the compose file as processes of this machine."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.api_port, self.broker_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.supervisor = Supervisor(folder, Console())
        self._postgres = postgres
        self._folder = folder
        settings = SERVICES["postgres"]["environment"]
        postgres.execute(f"CREATE ROLE {settings['POSTGRES_USER']} LOGIN")
        postgres.execute(f"CREATE DATABASE {settings['POSTGRES_DB']} OWNER {settings['POSTGRES_USER']}")

    def start(self, name: str) -> None:
        """Start a long-running service."""
        if name == "valkey":
            assert command_of(name)[0] == "valkey-server"
            options = ("--bind", "127.0.0.1", "--port", str(self.broker_port), "--dir", str(self._folder))
            self.supervisor.run(name, [find_broker(), *command_of(name)[1:], *options])
        else:
            self.supervisor.run(name, self._command(name), env=self.environment(name))

    def run(self, name: str) -> None:
        """Run a service to its end."""
        subprocess.run(self._command(name), env={**os.environ, **self.environment(name)}, timeout=60, check=True)

    def _command(self, name: str) -> list[str]:
        program, *arguments = command_of(name)
        for option, value in {"--host": "127.0.0.1", "--port": str(self.api_port)}.items():
            if option in arguments:
                arguments[arguments.index(option) + 1] = value
        return [str(Path(sys.executable).with_name(program)), *arguments]

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service, with the hosts of this machine."""
        # A variable without a value is passed on from the environment, if it is set there.
        given: dict[str, str] = {
            key: value for key, value in SERVICES[name]["environment"].items() if value is not None
        }
        database, broker = make_url(given["RAVINE_DATABASE_URL"]), make_url(given["RAVINE_BROKER_URL"])
        assert (database.host, broker.host) == ("postgres", "valkey")
        if "RAVINE_API_KEY" in given:
            given["RAVINE_API_KEY"] = API_KEY
        given["PGPASSWORD"] = "not used by the server of the tests"
        given["RAVINE_DATABASE_URL"] = database.set(
            host=None, port=None, query={"host": self._postgres.socket_dir}
        ).render_as_string()
        given["RAVINE_BROKER_URL"] = broker.set(host="127.0.0.1", port=self.broker_port).render_as_string()
        return given


@pytest.fixture(scope="module")
def containers(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """All services, started in the order of their conditions."""
    with ExitStack() as resources:
        containers = Containers(postgres, tmp_path_factory.mktemp("compose"))
        supervisor = containers.supervisor
        resources.callback(end_now, supervisor)
        containers.start("valkey")
        supervisor.wait_until(lambda: accepts(containers.broker_port), "valkey", START_SECONDS)
        containers.run("migrate")
        for name in ("api", "worker", "worker-interactive"):
            containers.start(name)
        supervisor.wait_until(lambda: is_ready(containers.url), "the API", START_SECONDS)
        yield containers


def test_a_job_is_trained_by_the_services_of_compose(containers: Containers) -> None:
    spec = {
        "problem": {"kind": "flipnet"},
        "optimizers": [{"kind": "sgd", "lr": 0.05}, {"kind": "momentum", "lr": 0.05}],
        "seeds": [1, 2],
        "epochs": 3,
    }
    key = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=containers.url, timeout=30.0, trust_env=False, headers=key) as client:
        assert client.get("/v1/jobs", headers={"Authorization": "Bearer wrong"}).status_code == 401
        job = client.post("/v1/jobs", json=spec).raise_for_status().json()
        assert wait_for_job(client, job["id"])["status"] == "completed"
        histories = client.get(f"/v1/jobs/{job['id']}/metrics", params={"fields": "loss"}).json()["runs"]
    assert [history["epoch"] for history in histories] == [[0, 1, 2, 3]] * 4
    assert all(history["loss"][-1] < history["loss"][0] for history in histories)


def test_all_health_checks_succeed(containers: Containers) -> None:
    _, *asks_the_api = SERVICES["api"]["healthcheck"]["test"]
    (asks_the_worker,) = (text for word, text in STAGES["worker"] if word == "HEALTHCHECK")
    asks_the_worker = asks_the_worker.partition("CMD ")[2]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, **containers.environment("worker"), "PATH": path, "HOSTNAME": socket.gethostname()}
    api = [part.replace(":8000/", f":{containers.api_port}/") for part in asks_the_api]
    subprocess.run(api, env=env, timeout=30, check=True)
    subprocess.run(["sh", "-c", asks_the_worker], env=env, timeout=30, check=True)

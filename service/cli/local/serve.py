"""The API process: uvicorn on an open socket, from the supervisor or from `ravine serve`."""

import ctypes
import gc
import os
import resource
import socket
import sys
from pathlib import Path

import uvicorn

from service.cli.local.connection import Connection
from service.cli.local.migration import bring_up_to_date
from service.cli.local.preconditions import StackError, require_key
from service.observing import logs, tracing
from service.settings import get_settings

# Files and sockets of a process besides the connections of its clients.
_OTHER_FILES = 256
GRACE_SECONDS = 3  # Time for open streams to end; the supervisor kills the process after 5 s.


def main() -> None:
    """Serve on the inherited socket whose file descriptor is the first argument.

    With a second argument, the path of a file that is not there, first migrate the database and check that other
    machines need a key; then create the file.
    """
    listener = socket.socket(fileno=int(sys.argv[1]))
    if sys.argv[2:] and not (migrated := Path(sys.argv[2])).exists():
        try:
            bring_up_to_date(get_settings().database_url)
            require_key(listener.getsockname()[0])
        except StackError as error:
            print(error, file=sys.stderr)
            sys.exit(os.EX_CONFIG)
        migrated.touch()
    serve(listener)


def serve(listener: socket.socket, application: str = "service.api.app:create_app") -> None:
    """Serve on an open socket until SIGTERM."""
    # Set before numpy is loaded. The matrix products of a comparison are small: OpenBLAS threads, which wait by
    # spinning, use seven times the processor time of the products.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _share_freed_memory()
    _allow_open_files(get_settings().max_connections + _OTHER_FILES)
    logs.configure(get_settings())
    tracing.configure(get_settings(), "api")
    config = uvicorn.Config(
        application,
        factory=True,
        http=Connection,
        # The API has no WebSockets.
        ws="none",
        # service/observing/requests.py logs requests with their ids, which uvicorn does not have.
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    # Imports create few cycles: without garbage collection the application loads in four fifths of the time.
    gc.disable()
    config.load()
    gc.freeze()
    gc.enable()
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        tracing.close()


def _share_freed_memory() -> None:
    """Let threads reuse memory that others have freed; by default each of 40 threads has a heap that never shrinks."""
    try:
        # The parameter M_ARENA_MAX of mallopt(3) in glibc.
        ctypes.CDLL(None).mallopt(-8, 2)
    except (OSError, AttributeError):
        return  # Another C library: the process may use more memory.


def _allow_open_files(num: int) -> None:
    """Raise the limit of open files, as far as this is allowed: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = num if hard == resource.RLIM_INFINITY else min(num, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()

"""The API process: uvicorn on a socket that is open already, the supervisor's or that of `ravine serve`."""

import ctypes
import os
import socket
import sys

import uvicorn

from service.cli.local.connection import Connection
from service.observing import logs, tracing
from service.settings import get_settings

GRACE_SECONDS = 3  # Time for open streams to end; the supervisor kills after five.


def main() -> None:
    """Serve on the inherited socket whose number is the first argument."""
    serve(socket.socket(fileno=int(sys.argv[1])))


def serve(listener: socket.socket, application: str = "service.api.app:create_app") -> None:
    """Serve on a socket that is open, until SIGTERM."""
    # numpy is not loaded yet. The matrix products of a comparison are so small that threads, which wait by spinning,
    # cost seven times what they share.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _share_freed_memory()
    logs.configure(get_settings())
    tracing.configure(get_settings(), "api")
    config = uvicorn.Config(
        application,
        factory=True,
        http=Connection,
        # service/observing/requests.py logs requests, with the ids that uvicorn does not know.
        access_log=False,
        log_config=None,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        tracing.close()


def _share_freed_memory() -> None:
    """Let threads take what others have freed: by default each of forty keeps a heap of its own, which only grows."""
    try:
        # The parameter M_ARENA_MAX of mallopt(3) in glibc.
        ctypes.CDLL(None).mallopt(-8, 2)
    except (OSError, AttributeError):
        return  # Another C library: larger at worst.


if __name__ == "__main__":
    main()

"""The API process: uvicorn on a socket that is open already, the supervisor's or that of `ravine serve`."""

import os
import socket
import sys

import uvicorn

GRACE_SECONDS = 3  # Open streams may finish their sentence; the supervisor kills after five.


def main() -> None:
    """Serve on the inherited socket whose number is the first argument."""
    serve(socket.socket(fileno=int(sys.argv[1])))


def serve(listener: socket.socket) -> None:
    """Serve on a socket that is open, until SIGTERM."""
    # numpy is not loaded yet. The products of a comparison are so small that threads cost seven times what they share:
    # they wait for each other by spinning.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    config = uvicorn.Config(
        "service.app:create_app",
        factory=True,
        # A line for every poll of every client would drown what matters.
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()

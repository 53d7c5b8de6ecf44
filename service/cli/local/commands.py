"""What are the parts, as command lines? The broker, the API and the workers, each one a program of its own."""

import sys
from collections.abc import Sequence
from pathlib import Path

INTERACTIVE = ("interactive",)
# Whoever trains sweeps also takes small jobs when it has nothing else to do.
BATCH = ("batch", "interactive")


def broker_command(binary: str, *listen_on: str) -> list[str]:
    """Valkey or Redis, keeping nothing on disk: messages are nudges, and what they nudge about is in the database."""
    return [binary, "--save", "", "--appendonly", "no", "--daemonize", "no", "--databases", "1024", *listen_on]


def on_socket(path: Path) -> list[str]:
    """Options of the broker: only this user's processes reach it, and no TCP port is opened."""
    return ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(path.parent)]


def api_command(fd: int) -> list[str]:
    """The API on a socket that is open already and inherited under this number."""
    return [sys.executable, "-m", "service.cli.local.serve", str(fd)]


def worker_command(name: str, queues: Sequence[str], processes: int) -> list[str]:
    """A Celery worker: one process that listens and ``processes`` that train."""
    return [
        *(sys.executable, "-m", "celery", "--quiet", "--app", "worker.app", "worker"),
        *("--hostname", f"{name}@%h", "--queues", ",".join(queues), "--concurrency", str(processes)),
        *("--loglevel", "INFO"),
        # Workers need not know each other, and looking for the others takes the first second of each start.
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]

"""Command lines of the broker, the API and the workers.

With ``-P`` Python does not import from the current folder, whose files could have the names of modules.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

INTERACTIVE = ("interactive",)
# Workers of large jobs also take small ones while they are idle.
BATCH = ("batch", "interactive")


def broker_command(binary: str, *listen_on: str) -> list[str]:
    """Valkey or Redis without storage on disk: all state is in the database, and lost messages are sent again."""
    return [binary, "--save", "", "--appendonly", "no", "--daemonize", "no", "--databases", "1024", *listen_on]


def on_socket(path: Path) -> list[str]:
    """Options of the broker to listen on a Unix socket of this user only, without a TCP port."""
    return ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(path.parent)]


def api_command(fd: int, migrated: Path | None = None) -> list[str]:
    """The API on an open socket, inherited as the file descriptor ``fd``.

    With ``migrated`` it first migrates the database, then creates this file.
    """
    return [
        sys.executable,
        "-P",
        "-m",
        "service.cli.local.serve",
        str(fd),
        *([] if migrated is None else [str(migrated)]),
    ]


def worker_command(name: str, queues: Sequence[str], processes: int) -> list[str]:
    """Training processes with one name: the first is called ``name``, the others ``name-2``, ``name-3``, …"""
    return workers_command({name: (queues, processes)})


def workers_command(workers: Mapping[str, tuple[Sequence[str], int]], gate: Path | None = None) -> list[str]:
    """One program for training processes with several names; for each name the queues and the number of processes.

    The program loads torch, then waits until the file ``gate`` exists, if given.
    """
    names = [f"{name}:{processes}:{','.join(queues)}" for name, (queues, processes) in workers.items()]
    waits = [] if gate is None else ["--gate", str(gate)]
    return [sys.executable, "-P", "-m", "worker", *waits, *names]

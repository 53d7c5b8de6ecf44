"""Command lines of the broker, the API and the workers."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

INTERACTIVE = ("interactive",)
# Workers of large jobs also take small ones while they are idle.
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
    """Processes that train, of one name: the first is called ``name``, the others ``name-2``, ``name-3``, …"""
    return workers_command({name: (queues, processes)})


def workers_command(workers: Mapping[str, tuple[Sequence[str], int]], gate: int | None = None) -> list[str]:
    """One program for processes of several names, each with its queues and its number of processes.

    It loads torch, then waits for the end of file of the descriptor ``gate`` where there is one.
    """
    names = [f"{name}:{processes}:{','.join(queues)}" for name, (queues, processes) in workers.items()]
    waits = [] if gate is None else ["--gate", str(gate)]
    return [sys.executable, "-m", "worker", *waits, *names]

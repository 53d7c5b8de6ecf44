"""Programs of Ravine, forked from a process that has loaded their code: a start takes 0.1 s instead of seconds.

What runs is what production runs: the same program with the same arguments, environment, folder, process group and
open files, and with this process as its parent. Only the imports have happened before. A template has one thread, so
that its forks are safe; `worker.host` does the same for the processes that train. Programs that need an interpreter of
their own (another PYTHONPATH) are started as everywhere else, and so is all that tests start through `ravine up`.

A template forks twice and lets the process between end: the program is then a child of this process, the closest
"subreaper" (prctl(2)), which can wait for it, and whose end kills it.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from service.cli.local.supervised_process import SupervisedProcess
from service.cli.local.supervisor import Supervisor

ROOT = Path(__file__).parents[1]
# What each program imports; nothing of this may read the environment or start a thread.
MODULES = {
    "api": ("uvicorn", "service.cli.main", "service.cli.local.serve", "service.cli.local.stack", "service.api.app",
            "anyio._backends._asyncio", "celery.loaders.app", "celery.app.amqp", "kombu.transport.redis"),
    "worker": ("worker.runner", "worker.host", "celery.apps.worker", "celery.concurrency.thread",
               "kombu.transport.redis", "celery.app.control", "service.database.dialects.known"),
}  # fmt: skip
# By module: its template, and where its function `main` is.
PROGRAMS = {
    "service.cli.local.serve": ("api", "service.cli.local.serve"),
    "service.cli.main": ("api", "service.cli.main"),
    "worker": ("worker", "worker.__main__"),
}
ORPHANS_SECONDS = 0.3
MESSAGE_BYTES = 1_000_000
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # From linux/prctl.h.


class Forked(subprocess.Popen[str]):
    """A program that a template has forked, to be used like one that was started here."""

    def __init__(self, pid: int, output: int) -> None:
        self.pid, self.args = pid, "forked"
        self.returncode: Any = None
        self.stdin = self.stderr = None
        self.stdout = os.fdopen(output, encoding="utf-8", errors="replace")
        self._child_created, self._waitpid_lock, self._sigint_wait_secs = True, threading.Lock(), 0.25

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and for that of its children: this process inherits them."""
        code = super().wait(timeout)
        deadline = time.monotonic() + ORPHANS_SECONDS
        with suppress(ChildProcessError):
            while time.monotonic() < deadline:
                if os.waitpid(-self.pid, os.WNOHANG) == (0, 0):
                    time.sleep(0.005)
        return code


class Template:
    """A process with loaded modules. It ends with this one."""

    def __init__(self, kind: str) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._socket, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.template", kind, str(other.fileno())],
            cwd=ROOT,
            pass_fds=[other.fileno()],
            env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        )
        other.close()

    def start(
        self, module: str, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, fds: Sequence[int]
    ) -> Forked:
        """Run a module as ``python -m`` does, with open files of this process under their own numbers."""
        reader, writer = os.pipe()
        asked = {"module": module, "arguments": arguments, "env": dict(env), "cwd": str(cwd), "fds": fds}
        with self._lock:
            socket.send_fds(self._socket, [json.dumps(asked).encode()], [writer, *fds])
            os.close(writer)
            answer = self._socket.recv(MESSAGE_BYTES)
        assert answer, f"the template of {module} has ended"
        return Forked(int(answer), reader)


_templates: dict[str, Template] = {}
_lock = threading.Lock()


class TemplateProcess(SupervisedProcess):
    """A supervised process, forked from a template if its program has one."""

    def _popen(self) -> subprocess.Popen[str]:
        program = _program(self._argv)
        if sys.platform != "linux" or program is None or self._env.get("PYTHONPATH") != os.environ.get("PYTHONPATH"):
            return super()._popen()
        module, arguments = program
        kind, _ = PROGRAMS[module]
        with _lock:
            if kind not in _templates:
                _templates[kind] = Template(kind)
        return _templates[kind].start(module, arguments, self._env, self._cwd, self._pass_fds)


class TemplateSupervisor(Supervisor):
    """A supervisor of such processes."""

    process_type = TemplateProcess


def _program(argv: Sequence[str]) -> tuple[str, list[str]] | None:
    if argv[:3] == [sys.executable, "-P", "-m"] and argv[3] in PROGRAMS:
        return argv[3], list(argv[4:])
    return ("service.cli.main", list(argv[1:])) if Path(argv[0]).name == "ravine" else None


def serve(kind: str, connection: socket.socket) -> None:
    """Load modules, then fork a program for each message until the connection is closed."""
    parent = os.getppid()
    for name in MODULES[kind]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "an import has started a thread"
    while True:
        message, fds, *_ = socket.recv_fds(connection, MESSAGE_BYTES, 16)
        if not message:
            return
        reader, writer = os.pipe()
        between = os.fork()
        if between == 0:
            pid = os.fork()
            if pid == 0:
                connection.close()
                become(json.loads(message), fds, parent)
            os.write(writer, str(pid).encode())
            os._exit(0)
        os.waitpid(between, 0)
        connection.send(os.read(reader, 64))
        for fd in (reader, writer, *fds):
            os.close(fd)


def become(asked: dict[str, Any], fds: Sequence[int], parent: int) -> NoReturn:
    """Become a program: its output, open files, process group, folder, environment and arguments."""
    while os.getppid() != parent:
        time.sleep(0.001)  # The process between is about to end.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    output, *inherited = fds
    # First out of the way of each other.
    moved = [os.dup(fd) for fd in (output, *inherited)]
    top = max([2, *asked["fds"], *moved]) + 1
    moved = [os.dup2(fd, top + number) for number, fd in enumerate(moved)]
    for fd, target in zip(moved, (1, *asked["fds"]), strict=True):
        os.dup2(fd, target)
    os.dup2(1, 2)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    kept = {0, 1, 2, *asked["fds"]}
    for fd in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if fd not in kept:
            with suppress(OSError):
                os.close(fd)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = [asked["module"], *asked["arguments"]]
    _, module = PROGRAMS[asked["module"]]
    sys.exit(importlib.import_module(module).main())


if __name__ == "__main__":
    serve(sys.argv[1], socket.socket(fileno=int(sys.argv[2])))

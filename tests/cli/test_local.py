"""`ravine up` starts the embedded stack: ports, folders, crashes and shutdown."""

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from tests.servers import free_port, until, wait_for_job

RAVINE = str(Path(sys.executable).with_name("ravine"))
START_SECONDS = 60.0
STOP_SECONDS = 30.0  # A timeout for a busy machine: 5 s for each of two stages.
JOB = {
    "problem": {"kind": "flipnet"},
    "optimizers": [{"kind": "sgd", "lr": 0.05}],
    "seeds": [42],
    "epochs": 2,
}


class Up:
    """A running `ravine up`, whose output is read line by line."""

    def __init__(self, *options: str, cwd: Path) -> None:
        self.process = subprocess.Popen(
            [RAVINE, "up", "--workers", "1", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=cwd,
            # A shell starts background commands with SIGINT ignored, which `ravine up` keeps. Here SIGINT is handled,
            # as for a command at a terminal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.lines: list[str] = []
        self.url = ""

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read its output until a line matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern} was never printed:\n{''.join(self.lines)}")

    def wait_until_ready(self) -> None:
        self.url = self.read_until(r"Ravine is ready at (\S+)")[1]

    def family(self) -> list[psutil.Process]:
        """All of its descendant processes."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def descendant(self, marker: str) -> psutil.Process:
        """The process with this word in its command line."""
        return next(child for child in self.family() if marker in " ".join(child.cmdline()))


@contextmanager
def up(*options: str, cwd: Path) -> Iterator[Up]:
    running = Up(*options, cwd=cwd)
    watchdog = subprocess.Popen(  # Kills a hanging process, so that other tests can run.
        ["sh", "-c", f"sleep {2 * START_SECONDS:g}; kill -9 {running.process.pid}"], start_new_session=True
    )
    try:
        yield running
    finally:
        os.killpg(watchdog.pid, signal.SIGKILL)
        watchdog.wait()
        running.process.terminate()
        running.process.wait(timeout=STOP_SECONDS)
        assert running.process.stdout is not None
        running.process.stdout.close()


def fails_at_once(*options: str, cwd: Path) -> str:
    """Run `ravine up` under conditions in which it fails, and give its error output."""
    answer = subprocess.run([RAVINE, "up", *options], capture_output=True, text=True, cwd=cwd, timeout=60, check=False)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    return answer.stderr


def test_a_port_in_use_is_a_clear_error_and_nothing_is_started(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        message = fails_at_once("--port", str(port), cwd=tmp_path)
    assert f"Port {port} of 127.0.0.1 is in use" in message
    assert f"make up PORT={port + 1}" in message
    assert not (tmp_path / "data" / "ravine.db").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    assert "Choose another folder with --data-dir" in fails_at_once("--port", "0", cwd=tmp_path)


@pytest.mark.slow
def test_an_address_of_another_machine_is_a_clear_error(tmp_path: Path) -> None:
    assert "cannot be opened" in fails_at_once("--host", "192.0.2.1", "--port", "0", cwd=tmp_path)


@pytest.mark.slow
def test_a_database_of_a_newer_version_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    with closing(sqlite3.connect(tmp_path / "data" / "ravine.db")) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES ('of tomorrow')")
    assert "migrated by a newer version of Ravine (migration of tomorrow" in fails_at_once("--port", "0", cwd=tmp_path)


@pytest.mark.slow
def test_a_temporary_folder_too_deep_for_a_socket_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("deep" * 30)
    deep.mkdir()
    monkeypatch.setenv("TMPDIR", str(deep))
    message = fails_at_once("--port", "0", cwd=tmp_path)
    assert str(deep) in message
    assert "Set TMPDIR" in message
    assert list(tmp_path.iterdir()) == [deep]


def test_down_without_a_running_stack_prints_so(tmp_path: Path) -> None:
    answer = subprocess.run([RAVINE, "down"], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert "No Ravine runs on" in answer.stdout


@pytest.mark.slow
def test_start_restart_stop_and_crash_of_a_stack(tmp_path: Path, temporary: Path) -> None:
    """One stack for several checks, because each start loads torch twice."""
    port = free_port()
    with up("--port", str(port), cwd=tmp_path) as first:
        first.wait_until_ready()
        assert first.url == f"http://127.0.0.1:{port}"
        assert httpx.get(f"{first.url}/readyz").status_code == 200

        # A second supervisor on the same folder fails and does not affect the first one.
        assert f"process {first.process.pid}" in fails_at_once("--port", "0", cwd=tmp_path)

        with httpx.Client(base_url=first.url, timeout=30.0) as client:
            job = client.post("/v1/jobs", json=JOB).json()
            assert wait_for_job(client, job["id"])["status"] == "completed"

        # Only the API listens on TCP.
        listening = {
            connection.laddr.port
            for process in [psutil.Process(first.process.pid), *first.family()]
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {port}

        # A killed API is restarted while clients wait, because the socket stays open.
        first.descendant("service.cli.local.serve").kill()
        assert httpx.get(f"{first.url}/readyz", timeout=START_SECONDS).status_code == 200
        first.read_until(r"api │ was ended by SIGKILL; starting it again")

        family = first.family()
        assert subprocess.run([RAVINE, "down"], cwd=tmp_path, timeout=STOP_SECONDS + 5, check=False).returncode == 0
        assert first.process.wait(timeout=STOP_SECONDS) == 0
        assert not any(map(is_running, family))

    with up("--port", str(port), cwd=tmp_path) as second:
        second.wait_until_ready()
        again = httpx.get(f"{second.url}/v1/jobs/{job['id']}").json()
        assert again["status"] == "completed"
        family = second.family()
        if sys.platform == "linux":
            # If the supervisor is killed, all of its processes end too.
            second.process.kill()
            until(lambda: not any(map(is_running, family)))
            assert list(temporary.glob("ravine-*")) != []

    # The next supervisor removes the temporary folder of the killed one, even if its start then fails at the port.
    # (A new port, because the kernel may have assigned the old one to an outgoing connection.)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        fails_at_once("--port", str(taken.getsockname()[1]), cwd=tmp_path)
    assert list(temporary.glob("ravine-*")) == []


@pytest.mark.slow
def test_ctrl_c_during_the_start_ends_all_processes(tmp_path: Path) -> None:
    with up("--port", "0", cwd=tmp_path) as running:
        until(lambda: len(running.family()) >= 2)
        family = running.family()
        running.process.send_signal(signal.SIGINT)
        running.process.wait(timeout=STOP_SECONDS)
        until(lambda: not any(map(is_running, family)))


def is_running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

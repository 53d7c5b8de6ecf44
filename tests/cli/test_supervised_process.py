"""Supervised processes: restart after an unexpected end, and shutdown."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from service.cli.local import supervised_process
from service.cli.local.preconditions import StackError
from service.cli.local.supervised_process import SupervisedProcess
from service.cli.local.supervisor import STOP_SECONDS, Supervisor
from tests.servers import until

SLEEPS_FOR_EVER = "import time\nprint('up', flush=True)\ntime.sleep(1000)"
IGNORES_SIGTERM = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEPS_FOR_EVER
HAS_A_CHILD = (
    f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {SLEEPS_FOR_EVER!r}])\n" + SLEEPS_FOR_EVER
)
FAILS = "raise SystemExit('no such database')"
REFUSES = "import os\nprint('loading')\nprint('This database is newer.', flush=True)\nos._exit(os.EX_CONFIG)"


class Listener:
    """Records the lines and the unexpected ends of processes."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.deaths: list[str] = []

    def line(self, process: str, line: str) -> None:
        self.lines.append(line)

    def death(self, process: str, sentence: str) -> None:
        self.deaths.append(sentence)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def supervisor(tmp_path: Path, listener: Listener) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, listener)
    yield supervisor
    supervisor.ask_to_stop()
    supervisor.ask_to_stop()  # The second request kills at once.
    supervisor.stop()


def run(supervisor: Supervisor, code: str) -> SupervisedProcess:
    supervisor.run("program", [sys.executable, "-c", code])
    return supervisor.processes["program"]


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_killed_process_is_restarted_and_the_reason_is_printed(supervisor: Supervisor, listener: Listener) -> None:
    process = run(supervisor, SLEEPS_FOR_EVER)
    until(lambda: listener.lines == ["up"])
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: listener.lines == ["up", "up"])
    assert process.pid not in (None, first)
    assert listener.deaths == ["was ended by SIGKILL; starting it again"]


def test_the_output_of_a_process_is_written_to_its_log(
    supervisor: Supervisor, listener: Listener, tmp_path: Path
) -> None:
    run(supervisor, SLEEPS_FOR_EVER)
    until(lambda: listener.lines == ["up"])
    assert (tmp_path / "program.log").read_text() == "up\n"


def test_a_process_that_cannot_start_is_an_error_with_its_last_lines(
    supervisor: Supervisor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised_process, "FIRST_PAUSE_SECONDS", 0.001)
    run(supervisor, FAILS)
    with pytest.raises(StackError) as error:
        supervisor.wait(10.0)
    assert str(error.value).splitlines() == [
        "program ended with exit code 1 at each of 5 attempts to start it. Its last lines:",
        "  no such database",
    ]
    assert len(listener.deaths) == 4


def test_a_process_that_refuses_its_configuration_is_not_started_again_and_its_last_line_is_the_error(
    supervisor: Supervisor, listener: Listener
) -> None:
    run(supervisor, REFUSES)
    with pytest.raises(StackError, match=r"^This database is newer\.$"):
        supervisor.wait(10.0)
    assert listener.lines == ["loading", "This database is newer."]
    assert listener.deaths == []


def test_a_process_that_has_started_once_is_restarted_without_a_limit(
    supervisor: Supervisor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervised_process, "SETTLED_SECONDS", 0.0)
    monkeypatch.setattr(supervised_process, "FIRST_PAUSE_SECONDS", 0.001)
    process = run(supervisor, FAILS)
    until(lambda: len(listener.deaths) > supervised_process.MAX_FALSE_STARTS)
    assert process.failure is None


def test_a_missing_program_is_named(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervised_process, "FIRST_PAUSE_SECONDS", 0.001)
    supervisor.run("program", ["/nonexistent/valkey-server"])
    with pytest.raises(StackError, match="/nonexistent/valkey-server cannot be started: No such file or directory"):
        supervisor.wait(10.0)


def test_a_process_that_ignores_sigterm_is_killed(
    supervisor: Supervisor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.cli.local.supervisor.STOP_SECONDS", 0.1)
    process = run(supervisor, IGNORES_SIGTERM)
    until(lambda: listener.lines)
    pid = process.pid
    assert pid is not None
    supervisor.stop()
    assert not is_alive(pid)
    assert listener.deaths == []


def test_a_second_request_to_stop_kills_at_once(supervisor: Supervisor, listener: Listener) -> None:
    run(supervisor, IGNORES_SIGTERM)
    until(lambda: listener.lines)
    supervisor.ask_to_stop()
    supervisor.ask_to_stop()
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < STOP_SECONDS


def test_children_of_a_process_end_with_it(supervisor: Supervisor, listener: Listener) -> None:
    process = run(supervisor, HAS_A_CHILD)
    until(lambda: listener.lines == ["up", "up"])
    leader = process.pid
    assert leader is not None
    family = [leader, *(child.pid for child in psutil.Process(leader).children(recursive=True))]
    assert len(family) == 2
    supervisor.stop()
    until(lambda: not any(map(is_alive, family)))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has ended")
def test_a_process_ends_with_a_killed_supervisor(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from service.cli.local.supervisor import Supervisor
supervisor = Supervisor(Path({str(tmp_path)!r}))
supervisor.run("program", [sys.executable, "-c", {SLEEPS_FOR_EVER!r}])
supervisor.wait_until(lambda: list(supervisor.processes["program"].tail) == ["up"], "the program", 60)
print(supervisor.processes["program"].pid, flush=True)
supervisor.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert is_alive(pid)
        owner.kill()
    until(lambda: not is_alive(pid))

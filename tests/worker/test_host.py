"""The host of worker processes: names, restarts, its end, invalid configuration, and conditions for a fork."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from service.cli.local.commands import BATCH, worker_command
from tests.chaos.blows import children
from tests.servers import Broker, until
from tests.template import TemplateSupervisor
from worker import host


def test_the_first_process_of_a_name_has_the_name_alone_and_sweeps() -> None:
    found = host.workers_of(["interactive:1:interactive", "batch:3:batch,interactive"])
    assert [(worker.name, worker.queues, worker.sweeps) for worker in found] == [
        ("interactive", ("interactive",), True),
        ("batch", ("batch", "interactive"), True),
        ("batch-2", ("batch", "interactive"), False),
        ("batch-3", ("batch", "interactive"), False),
    ]


def test_a_process_with_a_second_thread_does_not_fork() -> None:
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        assert not host.can_fork()
    finally:
        ended.set()
        thread.join()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[TemplateSupervisor]:
    supervisor = TemplateSupervisor(tmp_path)
    yield supervisor
    supervisor.ask_to_stop()
    supervisor.ask_to_stop()
    supervisor.stop()


@pytest.fixture
def env(new_database: Callable[[str], str], broker: Broker) -> dict[str, str]:
    return {"RAVINE_DATABASE_URL": new_database("sqlite"), "RAVINE_BROKER_URL": broker.new_url()}


@pytest.mark.slow
def test_a_killed_process_is_replaced_and_dies_with_its_host(
    supervisor: TemplateSupervisor, env: dict[str, str]
) -> None:
    supervisor.run("workers", worker_command("batch", BATCH, 2), env=env)
    process = supervisor.processes["workers"]

    def ready() -> int:
        return sum(" ready." in line for line in process.tail)

    until(lambda: ready() == 2)
    first, second = children([process.pid])
    os.kill(first, signal.SIGKILL)
    until(lambda: ready() == 3)
    third, fourth = children([process.pid])
    assert second in (third, fourth)
    assert first not in (third, fourth)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    until(lambda: not any(map(is_alive, (third, fourth))))


@pytest.mark.slow
def test_sigterm_ends_the_host_with_all_its_processes(supervisor: TemplateSupervisor, env: dict[str, str]) -> None:
    supervisor.run("workers", worker_command("batch", BATCH, 2), env=env)
    process = supervisor.processes["workers"]
    until(lambda: sum(" ready." in line for line in process.tail) == 2)
    pids = [process.pid, *children([process.pid])]
    supervisor.stop()
    assert not any(is_alive(pid) for pid in pids if pid is not None)


@pytest.mark.slow
def test_a_worker_does_not_run_code_of_its_folder(tmp_path: Path) -> None:
    trap = "from pathlib import Path\nPath('executed').touch()\nraise SystemExit(1)\n"
    (tmp_path / "worker").mkdir()
    for name in ("redis.py", "worker/__init__.py", "worker/__main__.py", "worker/app.py"):
        (tmp_path / name).write_text(trap)
    # A worker with an unknown device ends before it connects to the broker.
    ended = subprocess.run(
        [Path(sys.executable).with_name("ravine"), "worker"],
        cwd=tmp_path,
        env={**os.environ, "RAVINE_DEVICE": "abacus", "RAVINE_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"},
        check=False,
        timeout=60,
    )
    assert not (tmp_path / "executed").exists()
    assert ended.returncode == os.EX_CONFIG


def test_an_unknown_device_ends_the_host_with_a_reason(supervisor: TemplateSupervisor, env: dict[str, str]) -> None:
    supervisor.run("workers", worker_command("batch", BATCH, 1), env={**env, "RAVINE_DEVICE": "abacus"})
    process = supervisor.processes["workers"]
    until(lambda: any("cannot start: Device 'abacus' is unknown" in line for line in process.tail))


def is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

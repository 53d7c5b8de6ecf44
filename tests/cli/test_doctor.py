"""`ravine doctor` checks a stack, and names each unavailable component with a remedy."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from service.cli import doctor
from service.cli.local.migration import bring_up_to_date
from service.cli.local.preconditions import StackError
from service.database.connection import Database
from service.database.revisions import check
from service.errors import Unavailable
from service.settings import Settings
from tests.postgres import Postgres
from tests.servers import Broker, Stack, free_port, until, wait_for_job
from worker.data import loading
from worker.engine import problems

RAVINE = str(Path(sys.executable).with_name("ravine"))
CHECKS = ["database", "migrations", "clock", "broker", "workers", "packages", "disk"]


def findings(database_url: str, broker_url: str) -> dict[str, doctor.Finding]:
    found = doctor.examine(Settings(database_url=database_url, broker_url=broker_url))
    assert [finding.check for finding in found] == CHECKS
    # Every failed check has a remedy.
    assert all(finding.is_well or finding.way_out for finding in found)
    return {finding.check: finding for finding in found}


def ravine_doctor(database_url: str, broker_url: str, *options: str) -> "subprocess.CompletedProcess[str]":
    env = {
        "RAVINE_DATABASE_URL": database_url,
        "RAVINE_BROKER_URL": broker_url,
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(sys.path),
    }
    return subprocess.run(
        [RAVINE, "doctor", *options], env=env, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.slow(after=1)
def test_a_healthy_stack_passes_all_checks(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    # The machine of the tests may have less disk space than required.
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 1)
    # The stack is ready before its workers are connected to the broker.
    with stack.client() as client:
        job = {"problem": {"kind": "flipnet"}, "optimizers": [{"kind": "sgd", "lr": 0.05}], "epochs": 1}
        wait_for_job(client, client.post("/v1/jobs", json=job).json()["id"])
    for worker in ("interactive@", "batch@"):
        until(lambda name=worker: name in findings(stack.database_url, stack.broker_url)["workers"].found)
    monkeypatch.setattr(doctor, "PING_SECONDS", 5.0)
    found = findings(stack.database_url, stack.broker_url)
    assert [check for check, finding in found.items() if not finding.is_well] == []
    assert "interactive@" in found["workers"].found
    assert "batch@" in found["workers"].found


@pytest.mark.slow
def test_the_command_prints_a_line_per_check_and_fails_if_one_fails(
    new_database: Callable[[str], str], broker: Broker
) -> None:
    url, unused_broker = new_database("sqlite"), broker.new_url()
    answer = ravine_doctor(url, unused_broker)
    assert answer.returncode == 1
    assert [line.split()[1] for line in answer.stdout.splitlines()] == CHECKS
    (workers,) = (line for line in answer.stdout.splitlines() if "workers" in line)
    assert workers.startswith("✗")
    assert "ravine worker" in workers
    as_json = ravine_doctor(url, unused_broker, "--json")
    assert as_json.returncode == 1
    listed: list[dict[str, Any]] = json.loads(as_json.stdout)
    assert [one["check"] for one in listed] == CHECKS
    assert {one["check"]: one["is_well"] for one in listed if one["check"] != "disk"} == {
        "database": True, "migrations": True, "clock": True, "broker": True, "workers": False,
        "packages": True,
    }  # fmt: skip


def test_an_unreachable_broker_is_named_and_the_state_of_the_workers_is_unknown(
    new_database: Callable[[str], str],
) -> None:
    found = findings(new_database("sqlite"), f"redis://127.0.0.1:{free_port()}/0")
    assert not found["broker"].is_well
    assert "RAVINE_BROKER_URL" in found["broker"].way_out
    assert not found["workers"].is_well
    assert "broker is unavailable" in found["workers"].found
    assert found["database"].is_well


def test_an_unreachable_database_is_named_without_its_password(postgres: Postgres, broker_url: str) -> None:
    url = f"postgresql+psycopg://ravine:hunter2@127.0.0.1:{free_port()}/ravine"
    found = findings(url, broker_url)
    assert not found["database"].is_well
    assert "cannot be reached" in found["database"].found
    assert not any("hunter2" in finding.found + finding.way_out for finding in found.values())
    missing = findings(f"postgresql+psycopg://postgres@/nothing?host={postgres.socket_dir}", broker_url)
    assert not missing["database"].is_well
    assert not missing["migrations"].is_well


def test_a_missing_sqlite_file_is_named_and_not_created(tmp_path: Path, broker_url: str) -> None:
    found = findings(f"sqlite:///{tmp_path / 'none.db'}", broker_url)
    assert not found["database"].is_well
    assert "ravine up" in found["database"].way_out
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_version_are_named(database_url: str, broker_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    migrations = findings(database_url, broker_url)["migrations"]
    assert not migrations.is_well
    assert "0000" in migrations.found
    assert "ravine migrate" in migrations.way_out


def test_tables_of_a_newer_version_are_named_with_the_way_back(database_url: str, broker_url: str) -> None:
    database = Database(database_url)
    with database.transaction() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    migrations = findings(database_url, broker_url)["migrations"]
    assert not migrations.is_well
    assert "migrated by a newer version of Ravine (migration 9999" in migrations.found
    assert "ravine migrate" not in migrations.way_out
    assert "install that version" in migrations.way_out
    with pytest.raises(Unavailable, match="newer version of Ravine"):
        check(database)
    database.close()
    with pytest.raises(StackError, match="newer version of Ravine"):
        bring_up_to_date(database_url)


def test_a_wrong_clock_and_a_full_disk_are_named(
    database_url: str, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = doctor.time.time
    # The clock of this process is wrong by an hour; the database has another clock.
    monkeypatch.setattr(doctor.time, "time", lambda: real() + 3_600)
    monkeypatch.setattr(doctor, "LOW_DISK_BYTES", 2**62)
    found = findings(database_url, broker_url)
    assert not found["clock"].is_well
    assert float(re.findall(r"[\d.]+ s", found["clock"].found)[0][:-2]) == pytest.approx(3_600, abs=60)
    assert "ahead of the database" in found["clock"].found
    assert not found["disk"].is_well


@pytest.mark.slow
def test_the_folder_of_an_embedded_stack_names_its_database(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    Path(make_url(new_database("sqlite")).database or "").rename(tmp_path / "ravine.db")
    answer = ravine_doctor("sqlite:////nowhere/at/all.db", "redis://127.0.0.1:1/0", "--data-dir", str(tmp_path))
    lines = {line.split()[1]: line for line in answer.stdout.splitlines()}
    assert lines["database"].startswith("✓")
    assert str(tmp_path) in lines["database"]
    assert lines["broker"].startswith("✗")
    assert "no Ravine runs on" in lines["broker"]
    assert f"ravine up --data-dir {tmp_path}" in lines["broker"]


@pytest.mark.slow
def test_a_folder_that_does_not_exist_is_not_created(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    answer = ravine_doctor("sqlite:////nowhere/at/all.db", "redis://127.0.0.1:1/0", "--data-dir", str(folder))
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "does not exist" in answer.stdout
    # The command can be pasted into a shell.
    assert f"ravine up --data-dir '{folder}'" in answer.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_torch_trains_nothing(
    tmp_path: Path, broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def packages(*missing: str) -> doctor.Finding:
        monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in missing else "found")
        return findings(f"sqlite:///{tmp_path / 'none.db'}", broker_url)["packages"]

    assert "all problems can be trained" in packages().found
    # A machine without torch may be that of an API.
    assert packages("torch").is_well
    assert "no problem can be trained" in packages("torch").found


def test_no_problem_imports_a_package_that_the_check_does_not_look_for() -> None:
    known = {"numpy", "torch", "service", "worker", *sys.stdlib_module_names}
    for file in [*Path(problems.__file__).parent.glob("*.py"), *Path(loading.__file__).parent.glob("*.py")]:
        names = {
            name.partition(".")[0]
            for node in ast.walk(ast.parse(file.read_text()))
            for name in (
                [alias.name for alias in node.names] if isinstance(node, ast.Import)
                else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            )
        }  # fmt: skip
        assert names <= known, file.name

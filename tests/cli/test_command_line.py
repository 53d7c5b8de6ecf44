"""The command line without a service: help, imported modules, completion, and curves as text."""

import io
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from service.cli.commands.jobs import jobs_table
from service.cli.commands.sparkline import BARS, evenly, sparkline
from service.cli.main import app
from service.settings import VERSION


def test_the_help_documents_exit_codes_and_loads_nothing_heavy() -> None:
    help_text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for command in ("submit", "jobs", "show", "history", "compare", "plot", "cancel", "delete"):
        assert re.search(rf"^│ {command} ", help_text, re.MULTILINE)
    assert "3 the service cannot be reached" in " ".join(help_text.split())
    heavy = "{'numpy', 'httpx', 'pydantic', 'sqlalchemy', 'matplotlib', 'fastapi'} & set(sys.modules)"
    code = f"import sys, service.cli.main; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"ravine {VERSION}\n"


def test_without_a_command_the_help_is_printed() -> None:
    assert CliRunner().invoke(app, []).stdout == CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    ("command", "env", "words"),
    [
        (["migrate"], {"RAVINE_MAX_RUNS": "abc"}, "invalid setting: RAVINE_MAX_RUNS: Input should be a valid integer"),
        (["doctor"], {"RAVINE_LEASE_SECONDS": "0"}, "invalid setting: RAVINE_LEASE_SECONDS: Input should be greater"),
        (["worker"], {"RAVINE_LOG_LEVEL": "loud"}, "invalid setting: RAVINE_LOG_LEVEL"),
        (["worker", "--queues", "foo"], {}, "there is no queue 'foo'; --queues accepts batch and interactive"),
        (["worker", "--queues", ""], {}, "there is no queue ''"),
        (["lessons", "--only", "nope"], {}, "no lesson has the name 'nope'; the lessons are"),
    ],
)
def test_wrong_use_of_a_local_command_ends_with_2_and_one_line(
    tmp_path: Path, command: list[str], env: dict[str, str], words: str
) -> None:
    ravine = str(Path(sys.executable).with_name("ravine"))
    answer = subprocess.run(
        [ravine, *command],
        env={**os.environ, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"ravine: {words}")
    assert answer.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def completed(shell: str, **typed: str) -> str:
    """The completions of `ravine` for a typed text."""
    answer = subprocess.run(
        [str(Path(sys.executable).with_name("ravine"))],
        env={**os.environ, "_RAVINE_COMPLETE": f"complete_{shell}", **typed},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout


@pytest.mark.slow
def test_a_shell_completes_commands_and_options() -> None:
    assert "cancel" in completed("bash", COMP_WORDS="ravine can", COMP_CWORD="1")
    assert completed("bash", COMP_WORDS="ravine submit --dr", COMP_CWORD="2") == "--dry-run\n"
    typed = {"_TYPER_COMPLETE_ARGS": "ravine submit --dr"}
    assert '"--dry-run"' in completed("zsh", **typed)
    assert completed("fish", **typed, _TYPER_COMPLETE_FISH_ACTION="get-args").startswith("--dry-run\t")


@pytest.mark.parametrize(("width", "columns"), [(80, "id status done runs name"), (60, "id status name")])
def test_a_narrow_terminal_cuts_names_and_neither_ids_nor_statuses(width: int, columns: str) -> None:
    out = Console(width=width, file=io.StringIO())
    names = {"completed": "short", "cancelled": "a name that is far too long for a narrow terminal"}
    jobs: list[Any] = [
        {
            "id": str(uuid.uuid4()),
            "status": status,
            "name": name,
            "progress": {"fraction": 1, "runs_total": 1_200, "runs_diverged": 3},
        }
        for status, name in names.items()
    ]
    out.print(jobs_table(jobs, out))
    heading, _, *lines = out.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert heading.split() == columns.split()
    assert all(len(line) <= width for line in lines)
    assert [line.split()[:2] for line in lines] == [[job["id"], job["status"]] for job in jobs]
    assert lines[0].split()[-1] == "short"
    assert lines[1].endswith("…")


def test_a_sparkline_is_as_high_as_the_losses_and_ends_where_they_end() -> None:
    assert sparkline([1.0, 0.1, 0.01], 0.01, 1.0) == BARS[-1] + BARS[4] + BARS[0]
    assert sparkline([float("nan"), float("inf")], 0.01, 1.0) == BARS[-1] * 2
    assert sparkline([1.0, 1.0], 1.0, 1.0) == BARS[0] * 2
    assert evenly([0, 5, 10], [3.0, 2.0, 1.0], 20, columns=5) == [3.0, 2.0, 1.0]
    assert evenly([], [], 20) == []

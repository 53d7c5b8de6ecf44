"""The command line without a service: help, imported modules, completion, and curves as text."""

import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from service.cli.commands.sparkline import BARS, evenly, sparkline
from service.cli.main import app


def test_the_help_documents_exit_codes_and_loads_nothing_heavy() -> None:
    help_text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
    for command in ("submit", "jobs", "show", "history", "compare", "plot", "cancel", "delete"):
        assert re.search(rf"^│ {command} ", help_text, re.MULTILINE)
    assert "3 the service cannot be reached" in " ".join(help_text.split())
    heavy = "{'numpy', 'httpx', 'pydantic', 'sqlalchemy', 'matplotlib', 'fastapi'} & set(sys.modules)"
    code = f"import sys, service.cli.main; print({heavy})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


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


def test_a_shell_completes_commands_and_options() -> None:
    assert "cancel" in completed("bash", COMP_WORDS="ravine can", COMP_CWORD="1")
    assert completed("bash", COMP_WORDS="ravine submit --dr", COMP_CWORD="2") == "--dry-run\n"
    typed = {"_TYPER_COMPLETE_ARGS": "ravine submit --dr"}
    assert '"--dry-run"' in completed("zsh", **typed)
    assert completed("fish", **typed, _TYPER_COMPLETE_FISH_ACTION="get-args").startswith("--dry-run\t")


def test_a_sparkline_is_as_high_as_the_losses_and_ends_where_they_end() -> None:
    assert sparkline([1.0, 0.1, 0.01], 0.01, 1.0) == BARS[-1] + BARS[4] + BARS[0]
    assert sparkline([float("nan"), float("inf")], 0.01, 1.0) == BARS[-1] * 2
    assert sparkline([1.0, 1.0], 1.0, 1.0) == BARS[0] * 2
    assert evenly([0, 5, 10], [3.0, 2.0, 1.0], 20, columns=5) == [3.0, 2.0, 1.0]
    assert evenly([], [], 20) == []

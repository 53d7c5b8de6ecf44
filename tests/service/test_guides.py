"""What the guides show works: every example of the command line, and the notebook from top to bottom."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.cli import app
from service.client import Ravine
from service.client.pictures import Picture
from tests.servers import Stack

DOCS = Path(__file__).parents[2] / "docs"
on_sqlite = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


def examples() -> str:
    """All shell examples of the page, in its order, as one script."""
    return "\n".join(
        re.findall(r"^```sh\n(.*?)^```$", (DOCS / "command-line.md").read_text(), re.DOTALL | re.MULTILINE)
    )


def test_the_page_shows_every_command() -> None:
    page = (DOCS / "command-line.md").read_text()
    names = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    names += [str(group.name) for group in app.registered_groups]
    assert len(names) > 10
    missing = [name for name in names if not re.search(rf"\bravine {name}\b", page)]
    assert missing == []


@on_sqlite
def test_every_example_of_the_command_line_runs(stack: Stack, tmp_path: Path) -> None:
    # The folder of this Python's `ravine` comes first, and nothing of the caller's settings gets in.
    env = {name: value for name, value in os.environ.items() if not name.startswith("RAVINE_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    answer = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", examples()],
        cwd=tmp_path,
        env={**env, "PATH": path, "RAVINE_URL": stack.url},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    assert json.loads((tmp_path / "comparison.json").read_text())["tuned"] is not None
    assert (tmp_path / "histories.csv").read_text().startswith("run_id,label,seed,index,epoch,loss,grad_norm\n")
    assert (tmp_path / "heatmap.png").read_bytes().startswith(b"\x89PNG")
    assert "<desc>" in (tmp_path / "comparison.svg").read_text()


@on_sqlite
def test_the_notebook_runs_from_top_to_bottom(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAVINE_URL", stack.url)
    cells = json.loads((DOCS / "notebook.ipynb").read_text())["cells"]
    names: dict[str, Any] = {}
    shown = [run_cell("".join(cell["source"]), names) for cell in cells if cell["cell_type"] == "code"]
    assert isinstance(names["ravine"], Ravine)
    names["ravine"].close()
    assert names["job"]["status"] == "completed"
    assert len(names["histories"]) == 40 * 31
    assert any(isinstance(one, Picture) for one in shown)
    verdict, _ = shown[-1]
    assert "momentum reaches loss 0.2" in verdict


def run_cell(source: str, names: dict[str, Any]) -> Any:
    """Run a cell as a notebook does, and give the value of its last expression."""
    *before, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        exec(compile(ast.Module([*before, last], []), "cell", "exec"), names)
        return None
    exec(compile(ast.Module(before, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)

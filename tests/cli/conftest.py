"""Fixtures of the tests of commands."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli.main import app
from service.client import Ravine
from tests.cli.invoke import SPEC, Command
from tests.servers import Stack


@pytest.fixture
def ravine(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run a command in an empty folder against the shared stack."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAVINE_URL", stack.url)
    Path("spec.json").write_text(json.dumps(SPEC))

    def run(*arguments: str, input: str | None = None) -> Result:  # noqa: A002
        result = CliRunner().invoke(app, list(arguments), input=input)
        assert "Traceback" not in result.output, result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture(scope="module")
def job_id(stack: Stack) -> str:
    with Ravine(stack.url) as ravine:
        return ravine.wait(ravine.submit(SPEC)["id"], timeout_seconds=60)["id"]

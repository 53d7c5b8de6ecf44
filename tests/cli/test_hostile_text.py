"""Commands show markup and escape sequences of names and labels, and read files of Windows editors."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.client import Ravine
from tests.cli.invoke import SPEC, Command
from tests.servers import Stack

pytestmark = pytest.mark.databases("postgresql")

NAME = "[bold]name[/bold] \x1b[31mred \x9b5m"
LABELS = ["[red]slow[/red]", "wild\x1b]0;title\x07", "with, comma"]
HOSTILE: dict[str, Any] = {
    **SPEC,
    "name": NAME,
    "optimizers": [{"label": label, "kind": "sgd", "lr": 0.01} for label in LABELS],
}


@pytest.fixture(scope="module")
def hostile(stack: Stack) -> str:
    with Ravine(stack.url) as ravine:
        return ravine.wait(ravine.submit(HOSTILE)["id"], timeout_seconds=60)["id"]


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("command", ["jobs", "show", "history", "compare", "history --json", "show --json"])
def test_markup_and_escape_sequences_are_shown_and_not_run(ravine: Command, hostile: str, command: str) -> None:
    name, *options = command.split()
    result = ravine(name, *([] if name == "jobs" else [hostile]), *options)
    assert result.exit_code == 0, result.output
    assert not any((ord(letter) < 32 and letter != "\n") or 127 <= ord(letter) < 160 for letter in result.output)
    if name != "history":
        assert "[bold]name[/bold]" in result.output
    if name != "jobs":
        assert "[red]slow[/red]" in result.output
    if options:
        shown = json.loads(result.output)
        assert shown["name"] == NAME if name == "show" else LABELS[1] in {one["label"] for one in shown}


def test_watching_and_errors_show_them_too(ravine: Command, hostile: str) -> None:
    Path("hostile.json").write_text(json.dumps(HOSTILE))
    watched = ravine("submit", "hostile.json", "--watch")
    assert "[bold]name[/bold] ⟨001B⟩[31mred" in watched.output
    wrong = ravine("history", hostile, "--labels", "no\x1b[31mbody")
    assert wrong.exit_code == 2
    assert "\x1b" not in wrong.output
    assert "[red]slow[/red]" in wrong.output


@pytest.mark.slow
def test_labels_may_be_repeated_and_have_commas(ravine: Command, hostile: str) -> None:
    found = json.loads(ravine("history", hostile, "--labels", LABELS[2], "--labels", LABELS[0], "--json").output)
    assert {one["label"] for one in found} == {LABELS[0], LABELS[2]}
    assert ravine("plot", hostile, "--labels", LABELS[2], "-o", "loss.svg").exit_code == 0
    assert "with, comma ends at" in Path("loss.svg").read_text()


def test_history_writes_csv_for_spreadsheets(ravine: Command, hostile: str) -> None:
    assert ravine("history", hostile, "--excel", "-o", "rows.csv").exit_code == 0
    assert Path("rows.csv").read_bytes().startswith(b"\xef\xbb\xbfrun_id,")
    assert ravine("history", hostile, "--excel", "--format", "parquet", "-o", "rows").exit_code == 2


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_submit_reads_files_with_a_byte_order_mark_and_utf_16(ravine: Command, stack: Stack, encoding: str) -> None:
    Path("windows.json").write_text(json.dumps({**SPEC, "name": "Größe 损失"}, ensure_ascii=False), encoding=encoding)
    result = ravine("submit", "windows.json")
    assert result.exit_code == 0, result.output
    with Ravine(stack.url) as client:
        assert client.job(result.output.strip())["name"] == "Größe 损失"


def test_submit_rejects_bytes_that_are_no_text(ravine: Command) -> None:
    Path("bytes.json").write_bytes(b"\xff\xfe\xff")
    result = ravine("submit", "bytes.json")
    assert result.exit_code == 2
    assert "bytes.json is not JSON" in result.output

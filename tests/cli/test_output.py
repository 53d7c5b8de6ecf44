"""Where a command writes: files, pipes, devices, and readers that leave early."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli.main import app
from tests.cli.invoke import SPEC, Command

RAVINE = str(Path(sys.executable).with_name("ravine"))
pytestmark = pytest.mark.parametrize("stack", ["sqlite"], indirect=True)


@pytest.fixture
def table(ravine: Command, job_id: str) -> Callable[[str], Result]:
    """Write the histories of a job as CSV to a path."""
    return lambda path: ravine("history", job_id, "--format", "csv", "-o", path)


def read_in_thread(path: str) -> Callable[[], bytes]:
    """Read a pipe to its end; the result waits for it."""
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path(path).read_bytes()), daemon=True)
    reader.start()

    def result() -> bytes:
        reader.join(timeout=30)
        return read[0]

    return result


def test_a_table_is_written_into_a_pipe(ravine: Command, job_id: str, table: Callable[[str], Result]) -> None:
    os.mkfifo("pipe")
    result = read_in_thread("pipe")
    assert table("pipe").exit_code == 0
    assert Path("pipe").is_fifo()
    assert result() == ravine("history", job_id, "--format", "csv").stdout_bytes


def test_a_table_replaces_the_target_of_a_link_and_not_the_link(table: Callable[[str], Result]) -> None:
    Path("old.csv").write_text("of yesterday")
    Path("link.csv").symlink_to("old.csv")
    Path("dangling.csv").symlink_to("new.csv")
    for link, target in (("link.csv", "old.csv"), ("dangling.csv", "new.csv")):
        assert table(link).exit_code == 0
        assert Path(link).is_symlink()
        assert Path(target).read_text().startswith("run_id,")


def test_a_device_stays_a_device_and_its_error_is_printed(table: Callable[[str], Result]) -> None:
    for device, exit_code in (("null", 0), ("full", 2)):
        # A command that replaces its output would replace the link only.
        Path(device).symlink_to(f"/dev/{device}")
        result = table(device)
        assert result.exit_code == exit_code
        assert Path(device).is_char_device()
    assert "full cannot be written: No space left on device" in result.stderr


def test_a_plot_is_written_with_the_same_care(ravine: Command, job_id: str) -> None:
    Path("old.svg").write_text("of yesterday")
    Path("link.svg").symlink_to("old.svg")
    Path("null.svg").symlink_to("/dev/null")
    Path("full.png").symlink_to("/dev/full")
    os.mkfifo("pipe.svg")
    read = read_in_thread("pipe.svg")
    results = {name: ravine("plot", job_id, "-o", name) for name in ("link.svg", "null.svg", "pipe.svg", "full.png")}
    assert [result.exit_code for result in results.values()] == [0, 0, 0, 2]
    assert "full.png cannot be written: No space left on device" in results["full.png"].stderr
    assert Path("link.svg").is_symlink()
    assert Path("null.svg").is_char_device()
    assert Path("pipe.svg").is_fifo()
    assert Path("old.svg").read_bytes().startswith(b"<?xml")
    assert read().startswith(b"<?xml")
    assert not list(Path().glob("*.part"))


def test_a_dash_is_the_standard_output(ravine: Command, job_id: str, table: Callable[[str], Result]) -> None:
    assert table("-").stdout_bytes == ravine("history", job_id, "--format", "csv").stdout_bytes
    assert not Path("-").exists()


@pytest.mark.slow(after=1)
@pytest.mark.parametrize(
    "command",
    [["history", "{job}", "--format", "csv"], ["history", "{job}"], ["show", "{job}"], ["jobs"], ["jobs", "--json"]],
)
def test_a_reader_that_leaves_early_is_no_error(ravine: Command, job_id: str, command: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(
        [RAVINE, *(word.format(job=job_id) for word in command)],
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (answer.returncode, answer.stderr) == (0, "")


@pytest.mark.slow(after=1)
@pytest.mark.parametrize("command", [["show", "{job}"], ["show", "{job}", "--json"], ["presets"]])
def test_a_full_disk_is_one_line_and_no_traceback(ravine: Command, job_id: str, command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        answer = subprocess.run(
            [RAVINE, *(word.format(job=job_id) for word in command)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert answer.returncode == 2
    assert answer.stderr == "ravine: the output cannot be written: No space left on device\n"


def test_a_spec_is_read_from_a_pipe(ravine: Command, tmp_path: Path) -> None:
    os.mkfifo("spec")
    writer = threading.Thread(target=lambda: (tmp_path / "spec").write_text(json.dumps(SPEC)), daemon=True)
    writer.start()
    submitted = ravine("submit", "spec", "--dry-run", "--json")
    assert json.loads(submitted.stdout)["runs_total"] == 12
    writer.join(timeout=30)


def test_presets_are_listed_with_their_names(ravine: Command) -> None:
    listed = json.loads(ravine("presets", "--json").stdout)
    names = [preset["name"] for preset in listed]
    assert "ravine-large-lr" in names
    shown = CliRunner().invoke(app, ["presets"]).stdout
    assert all(name in shown.split() for name in names)
    assert ravine("submit", names[0], "--dry-run").exit_code == 0


def test_a_built_in_optimizer_is_shown_as_an_entry_that_can_be_submitted(ravine: Command) -> None:
    entry = json.loads(ravine("optimizers", "show", "adam").stdout)
    assert entry["kind"] == "formula"
    assert entry["state"] == {"m": 0, "v": 0}
    Path("own.json").write_text(json.dumps({**SPEC, "optimizers": [entry]}))
    assert ravine("submit", "own.json", "--dry-run").exit_code == 0
    listed = json.loads(ravine("optimizers", "list", "--json").stdout)
    shown = CliRunner().invoke(app, ["optimizers", "list"]).stdout
    assert all(one["kind"] in shown.split() for one in listed)


@pytest.mark.parametrize(("kind", "reason"), [("muon", "cannot be written as"), ("adm", "is no kind of optimizer")])
def test_a_kind_without_a_formula_is_refused_with_those_that_have_one(ravine: Command, kind: str, reason: str) -> None:
    answer = CliRunner().invoke(app, ["optimizers", "show", kind])
    assert answer.exit_code == 2
    assert reason in answer.stderr
    assert "sgd, momentum" in answer.stderr

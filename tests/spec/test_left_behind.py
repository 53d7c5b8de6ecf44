"""The files and folders of a killed process are removed by the next one; those of a living process stay."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.spec.left_behind import remove_left, temporary_file, temporary_folder

MAKE = """
import sys
from service.spec.left_behind import temporary_file, temporary_folder
with temporary_file("ravine-test-") as file, temporary_folder("ravine-test-") as folder:
    file.write_bytes(b"half")
    (folder / "inside").write_bytes(b"half")
    print("made", flush=True)
    sys.stdin.read()
"""


@contextmanager
def maker(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that has made a file and a folder, until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", MAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={"TMPDIR": str(folder)},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "made\n"
        yield process


def test_what_a_killed_process_has_left_is_removed_and_what_a_living_one_uses_stays(tmp_path: Path) -> None:
    with maker(tmp_path) as killed, maker(tmp_path) as living:
        assert len(list(tmp_path.iterdir())) == 4
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert len(list(tmp_path.iterdir())) == 4
        remove_left("ravine-test-", tmp_path)
        left = list(tmp_path.iterdir())
        assert sorted(one.is_dir() for one in left) == [False, True]
        living.communicate()
        assert list(tmp_path.iterdir()) == []


def test_other_names_and_links_stay(tmp_path: Path) -> None:
    (tmp_path / "ravine-other-1").write_bytes(b"")
    (tmp_path / "target").write_bytes(b"mine")
    (tmp_path / "ravine-test-link").symlink_to(tmp_path / "target")
    remove_left("ravine-test-", tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["ravine-other-1", "ravine-test-link", "target"]


def test_nothing_stays_after_the_block_or_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_file("ravine-test-") as file, temporary_folder("ravine-test-") as folder:
        file.rename(tmp_path / "kept")
    with pytest.raises(ZeroDivisionError), temporary_file("ravine-test-") as file:
        1 / 0  # noqa: B018
    assert not folder.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]

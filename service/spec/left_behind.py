"""Temporary files and folders that a killed process has left: the next process removes them.

A process locks each one that it makes, and the lock ends with the process. So what can be locked has no process.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary_file(prefix: str, folder: Path | None = None) -> Iterator[Path]:
    """Make an empty file, by default in the folder for temporary files; it is deleted at the end of the block.

    Another process may write to it, and it may be renamed in the block.
    """
    while True:
        fd, name = tempfile.mkstemp(prefix=prefix, dir=folder)
        if _lock(fd, Path(name)):
            break
        os.close(fd)
    try:
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)
        os.close(fd)


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Make a folder in the folder for temporary files; it is deleted at the end of the block."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=prefix))
        with suppress(FileNotFoundError):
            fd = os.open(path, os.O_RDONLY)
            if _lock(fd, path):
                break
            os.close(fd)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
        os.close(fd)


def remove_left(prefix: str, folder: Path | None = None) -> None:
    """Remove the files and folders of this user that begin with ``prefix`` and that no process has locked."""
    for path in Path(folder or tempfile.gettempdir()).glob(f"{prefix}*"):
        # Another process may remove it at the same time; some file systems have no locks.
        with suppress(OSError):
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                if os.fstat(fd).st_uid == os.getuid() and _lock(fd, path):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            finally:
                os.close(fd)


def _lock(fd: int, path: Path) -> bool:
    """Lock an open file or folder; False if another process has it, or has removed it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return path.lstat().st_ino == os.fstat(fd).st_ino
    except OSError:
        return False

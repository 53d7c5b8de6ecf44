"""Decoded tables of this process by digest: in memory, and as files in a folder that the processes of a host share.

A file is written under another name and renamed, so that every process finds it whole or not at all. The files used
longest ago are deleted above the limit of the folder; processes that have mapped one keep it until they let it go.
"""

import os
import stat
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from service.settings import Settings
from service.spec.datasets.decoded_file import VERSION, NotDecoded, map_table
from service.spec.datasets.decoding import Limits, decode
from service.spec.datasets.summary import Json
from service.spec.datasets.table import Table
from service.spec.left_behind import remove_left, temporary_file

_ENDING = ".table"
_CONTENT, _UNFINISHED = "content-", "decoding-"


class DecodedTables:
    """The decoded tables of a process, for several threads."""

    def __init__(self, settings: Settings) -> None:
        self._folder = folder_of(settings.dataset_folder)
        self._max_disk_bytes = settings.dataset_disk_bytes
        self._max_memory_bytes = settings.dataset_memory_bytes
        self._limits = Limits(settings.decode_memory_mb, settings.decode_seconds)
        self._lock = threading.Lock()
        # Tables with their sizes; the one used last is the last one.
        self._kept: OrderedDict[str, tuple[Table, int]] = OrderedDict()
        for prefix in (_CONTENT, _UNFINISHED):
            remove_left(prefix, self._folder)

    def find_or_make(self, digest: str, media_type: str, content: Callable[[], bytes]) -> Table:
        """Give a table from memory or from its file, else decode its content.

        Raises:
            Rejected: The content cannot be read.
            Unavailable: The disk is full.
        """
        name = file_name(digest, media_type)
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
                return self._kept[name][0]
        table = self._mapped(name)
        if table is None:
            with temporary_file(_CONTENT, self._folder) as file:
                file.write_bytes(content())
                self.decode(file, digest, media_type)
            table = self._mapped(name)
            assert table is not None, "it was renamed, and the limits keep the newest file"
        self._keep(name, table)
        return table

    def decode(self, source: Path, digest: str, media_type: str) -> Json:
        """Decode a file, keep the table on disk, and give its summary.

        Raises:
            Rejected: The file cannot be read.
            Unavailable: The disk is full.
        """
        with temporary_file(_UNFINISHED, self._folder) as unfinished:
            summary = decode(source, media_type, unfinished, self._limits)
            unfinished.replace(self._folder / file_name(digest, media_type))
        self._shrink(file_name(digest, media_type))
        return summary

    def _mapped(self, name: str) -> Table | None:
        path = self._folder / name
        try:
            table = map_table(path)
            os.utime(path)
        except (OSError, NotDecoded):
            return None
        return table

    def _keep(self, name: str, table: Table) -> None:
        num_bytes = sum(column.values.nbytes for column in table.columns) + 4 * len(table.text or "")
        with self._lock:
            self._kept[name] = table, num_bytes
            while len(self._kept) > 1 and sum(size for _, size in self._kept.values()) > self._max_memory_bytes:
                self._kept.popitem(last=False)

    def _shrink(self, newest: str) -> None:
        """Delete the files used longest ago, but the newest."""
        found = []
        for path in self._folder.iterdir():
            with suppress(OSError):  # Another process has deleted it.
                known = path.stat()
                found.append((known.st_mtime, known.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._max_disk_bytes:
                return
            if path.name != newest:
                path.unlink(missing_ok=True)
                total -= size


def file_name(digest: str, media_type: str) -> str:
    """Name the file of a table: another version of the reader, or another media type, may give another table."""
    kind = "".join(letter if letter.isalnum() else "-" for letter in media_type)
    return f"{digest}-{kind}-{VERSION}{_ENDING}"


def folder_of(setting: str) -> Path:
    """Make the folder of the tables; without a setting, one of this user in the folder for temporary files.

    A folder there that others could write to is not used: they could replace tables.
    """
    if setting:
        folder = Path(setting)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir()) / f"ravine-datasets-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    is_mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022
    return folder if is_mine else Path(tempfile.mkdtemp(prefix="ravine-datasets-"))

"""Reading of a bundle from an untrusted file: every size is checked before anything is read.

Members are read by their names from the file itself; nothing is unpacked to the disk. They are stored without
compression, so that no small file becomes a large one.
"""

import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

from pydantic import ValidationError

from service.database.datasets.bundled import MAX_BYTES
from service.histories.bundle import DATASET, HISTORIES, MEMBERS, RECEIPT, SPEC
from service.spec.job import JobSpec

# A spec has at most a million seeds of ten digits; a job is posted in a body of at most 1 MiB by default.
MAX_JSON_BYTES = 64 * 1024**2
MAX_DATASET_BYTES = MAX_BYTES
# The directory of a bundle has six short entries at most.
MAX_DIRECTORY_BYTES = 4_096
# End of the central directory: signature, disks, entries here and in all, its length and place, length of a comment.
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
# Local header of a member: signature, nine fields, then the lengths of its name and of its extra fields.
_LOCAL = struct.Struct("<4s22x2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"


class NotABundle(Exception):
    """The file is no bundle, or one that was changed; the text names the place."""


class Bundle:
    """An open bundle.

    Attributes:
        spec: What was trained.
        receipt: Environment of the training, and how the job ended.
        has_dataset: Whether it has the file of an uploaded dataset.
    """

    def __init__(self, path: Path) -> None:
        """Open a bundle and read spec and receipt.

        Raises:
            NotABundle: The file is no bundle, is larger than it states, or its spec is not that of its receipt.
            OSError: The file cannot be read.
        """
        self._file = path.open("rb")
        try:
            self._check_end()
            try:
                self._zip = zipfile.ZipFile(self._file)
            except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
                raise NotABundle(f"its directory cannot be read: {error}") from error
            self._check_members()
            self.spec = self._spec()
            self.receipt = self._json(RECEIPT)
            if self.receipt.get("spec_digest") != self.spec.digest():
                raise NotABundle(f"{SPEC} is not the spec of {RECEIPT}: their digests differ")
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def histories(self) -> "Part":
        """Give the Parquet file as a part of the bundle, which can be read from any place."""
        info = self._zip.getinfo(HISTORIES)
        self._file.seek(info.header_offset)
        header = self._file.read(_LOCAL.size)
        if len(header) < _LOCAL.size:
            raise NotABundle(f"{HISTORIES} lies behind the end of the file")
        signature, name_bytes, extra_bytes = _LOCAL.unpack(header)
        first = info.header_offset + _LOCAL.size + name_bytes + extra_bytes
        if signature != _LOCAL_SIGNATURE or first + info.file_size > self._size:
            raise NotABundle(f"{HISTORIES} lies behind the end of the file")
        return Part(self._file, first, info.file_size)

    def dataset(self) -> bytes | None:
        """Give the file of the uploaded dataset; None if the bundle has none.

        Raises:
            NotABundle: It is larger than a bundle allows, or not the dataset of the spec.
        """
        if not self.has_dataset:
            return None
        if self._zip.getinfo(DATASET).file_size > MAX_DATASET_BYTES:
            raise NotABundle(f"{DATASET} has more than {MAX_DATASET_BYTES:,} bytes")
        try:
            return self._zip.read(DATASET)
        except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
            raise NotABundle(f"{DATASET} cannot be read: {error}") from error

    def _check_end(self) -> None:
        """Check the number of members before their list is read."""
        self._size = self._file.seek(0, os.SEEK_END)
        if self._size < _END.size:
            raise NotABundle("it is too short to be a zip")
        self._file.seek(self._size - _END.size)
        signature, _, _, _, entries, directory_bytes, _, comment = _END.unpack(self._file.read(_END.size))
        if signature != _END_SIGNATURE or comment:
            raise NotABundle("it is no zip, or has something behind its end")
        if not len(MEMBERS) <= entries <= len(MEMBERS) + 1 or directory_bytes > MAX_DIRECTORY_BYTES:
            raise NotABundle(f"it has {entries:,} members; a bundle has {', '.join(MEMBERS)}")

    def _check_members(self) -> None:
        members = self._zip.infolist()
        names = sorted(info.filename for info in members)
        self.has_dataset = DATASET in names
        if names != sorted([*MEMBERS, *([DATASET] if self.has_dataset else [])]):
            raise NotABundle(f"a bundle has the members {', '.join(MEMBERS)}, each once, and no other")
        for info in members:
            if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size != info.compress_size:
                raise NotABundle(f"{info.filename} is compressed or encrypted; a bundle stores it as it is")
            if info.file_size > self._size:
                raise NotABundle(f"{info.filename} is longer than the file")

    def _json(self, name: str) -> dict[str, Any]:
        if self._zip.getinfo(name).file_size > MAX_JSON_BYTES:
            raise NotABundle(f"{name} has more than {MAX_JSON_BYTES:,} bytes")
        try:
            with self._zip.open(name) as member:
                value = json.loads(member.read(MAX_JSON_BYTES + 1))
        except (zipfile.BadZipFile, ValueError, RecursionError, EOFError, NotImplementedError) as error:
            raise NotABundle(f"{name} cannot be read: {error}") from error
        if not isinstance(value, dict):
            raise NotABundle(f"{name} is no JSON object")
        return value

    def _spec(self) -> JobSpec:
        try:
            return JobSpec.model_validate(self._json(SPEC), context={"is_stored": True})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise NotABundle(f"{SPEC} is no spec of this version of Ravine: {place}: {first['msg']}") from error


class Part(io.RawIOBase):
    """A part of an open file, as a file of its own."""

    def __init__(self, file: IO[bytes], first: int, length: int) -> None:
        self._whole, self._first, self._length, self._at = file, first, length, 0

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read from any place: yes."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """Give the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as fit."""
        num = max(0, min(len(buffer), self._length - self._at))
        self._whole.seek(self._first + self._at)
        piece = self._whole.read(num)
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

"""Reading of NPZ: a zip with the arrays ``x`` and ``y``, of numbers only.

The directory of the zip and the headers of the arrays are checked before anything is decompressed, and no more is
decompressed than a header declares. Nothing is unpickled.
"""

import math
import struct
import zipfile
import zlib
from io import BytesIO
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from service.spec.datasets.limits import MAX_VALUES, require_columns, require_values
from service.spec.datasets.table import Column, Table
from service.spec.datasets.unreadable import unreadable

_NAMES = {"x.npy": "x", "y.npy": "y"}
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_MAX_COMMENT = 65_535
_MAX_DIRECTORY_BYTES = 4_096
_MAX_HEADER_BYTES = 1_024
_MAX_BYTES = 8 * MAX_VALUES + _MAX_HEADER_BYTES
_ENCRYPTED = 0x1


def read_npz(data: bytes) -> Table:
    """Read ``x`` [N, F], [N, H, W] or [N, H, W, C], and ``y`` [N].

    An integer ``y`` has classes, sorted as numbers; another one is a number.

    Raises:
        Rejected: The file cannot be read, or its arrays have other types or shapes.
    """
    _require_small_directory(data)
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            arrays = {_NAMES[info.filename]: _array(archive, info) for info in _members(archive)}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, struct.error, UnicodeError) as error:
        raise unreadable(f"this is not a valid NPZ: {str(error)[:300]}") from error
    x, y = arrays["x"], arrays["y"]
    if y.shape != (len(x),):
        raise unreadable(f"y has the shape {y.shape} and x {x.shape}: y must be [N], with one value for each row of x")
    if not len(x):
        raise unreadable("x has no rows")
    return Table((*_features(x), _target(y)))


def _require_small_directory(data: bytes) -> None:
    """Check the directory: Python reads all of it at once, a kilobyte for each entry of 46 bytes."""
    at = data.rfind(_END_MAGIC, max(0, len(data) - _MAX_COMMENT - _END.size))
    if at < 0 or len(data) - at < _END.size:
        raise unreadable("this is not an NPZ: a zip must end with its directory")
    *_, num_entries, num_bytes, _, _ = _END.unpack_from(data, at)
    if num_entries != len(_NAMES) or num_bytes > _MAX_DIRECTORY_BYTES:
        raise unreadable(f"the file has {num_entries:,} arrays; it must have two, x and y")


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    members = archive.infolist()
    names = sorted(info.filename for info in members)
    if names != sorted(_NAMES):
        raise unreadable(f"the file has the arrays {', '.join(name[:40] for name in names)}; it must have x and y")
    for info in members:
        if info.flag_bits & _ENCRYPTED:
            raise unreadable(f"{info.filename} is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise unreadable(f"{info.filename} is not compressed as numpy.savez_compressed does")
        if info.file_size > _MAX_BYTES:
            raise unreadable(
                f"{info.filename} has {info.file_size:,} bytes after decompression; at most {_MAX_BYTES:,} are allowed"
            )
    return members


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    """Read an array whose header declares as many bytes as the directory."""
    name = _NAMES[info.filename]
    with archive.open(info) as member:
        shape, is_fortran, kind = _header(member, name)
        declared = math.prod(shape) * kind.itemsize
        num_header_bytes = member.tell()
        if kind.hasobject or kind.kind not in "biuf":
            raise unreadable(f"{name} has the type {str(kind)[:40]}; only numbers are allowed, and nothing pickled")
        if min(shape, default=0) < 0 or math.prod(shape) > MAX_VALUES or declared + num_header_bytes != info.file_size:
            raise unreadable(
                f"{name} declares the shape {str(shape)[:100]}, {declared:,} bytes, and has "
                f"{info.file_size - num_header_bytes:,}; at most {MAX_VALUES:,} values are allowed"
            )
        raw = member.read(declared)
        if len(raw) != declared or member.read(1):
            raise unreadable(f"{name} ends before its {declared:,} bytes")
    values = np.frombuffer(raw, dtype=kind)
    return values.reshape(shape[::-1]).transpose() if is_fortran else values.reshape(shape)


def _header(member: IO[bytes], name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        reader = readers[np.lib.format.read_magic(member)]
        shape, is_fortran, kind = reader(member, max_header_size=_MAX_HEADER_BYTES)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError) as error:
        raise unreadable(f"{name} is not an array of numpy") from error
    return shape, is_fortran, kind


def _features(x: NDArray[Any]) -> list[Column]:
    if x.ndim == 2 and x.shape[1]:
        require_columns(x.shape[1])
        require_values(*x.shape)
        _require_finite(x, allow_nan=True)
        return [Column(f"x{at}", "number", x[:, at].astype(np.float64)) for at in range(x.shape[1])]
    if x.ndim in (3, 4) and x.size:
        images = x[..., None] if x.ndim == 3 else x
        images = np.ascontiguousarray(images, dtype=np.float32)
        _require_finite(images, allow_nan=False)
        return [Column("x", "image", images)]
    raise unreadable(f"x has the shape {x.shape}; it must be [N, F], or images [N, H, W] or [N, H, W, C]")


def _target(y: NDArray[Any]) -> Column:
    if y.dtype.kind == "f":
        _require_finite(y[:, None], allow_nan=True)
        return Column("y", "number", y.astype(np.float64))
    classes, places_N = np.unique(y.astype(np.uint8) if y.dtype.kind == "b" else y, return_inverse=True)
    return Column("y", "category", places_N.astype(np.int32), tuple(str(one) for one in classes.tolist()))


def _require_finite(values: NDArray[Any], *, allow_nan: bool) -> None:
    """Refuse infinite values, and missing pixels."""
    is_wrong = np.isinf(values) if allow_nan else ~np.isfinite(values)
    if is_wrong.any():
        row = int(np.flatnonzero(is_wrong.reshape(len(values), -1).any(axis=1))[0]) + 1
        raise unreadable(f"row {row:,} has a value that is {'infinite' if allow_nan else 'not finite'}")

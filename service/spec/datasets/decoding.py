"""Decoding of a file; unless it is a small text, in a process of its own, with limits of memory and time.

``python -m service.spec.datasets.decoding FILE MEDIA_TYPE OUTPUT MEGABYTES SECONDS`` writes the decoded table to
OUTPUT and its summary, or the error of the file, to the standard output as JSON. A file that lies about its size ends
this process, not that of the API.
"""

import json
import os
import resource
import signal
import subprocess
import sys
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from pathlib import Path

from service.errors import Rejected, Unavailable
from service.spec.datasets.summary import Json
from service.spec.datasets.unreadable import unreadable

# One thread: the memory of others would count, and a server decodes several files.
_ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_START_SECONDS = 30.0
# A text is not compressed: decoding this many bytes of it takes a few MB and less than 0.2 s.
_SMALL_BYTES = 262_144


@dataclass(frozen=True)
class Limits:
    """Limits of one decoding."""

    memory_mb: int
    seconds: float


def decode(source: Path, media_type: str, output: Path, limits: Limits) -> Json:
    """Decode a file into ``output``, and give the summary of the table: a small text in this process.

    Raises:
        Rejected, Unavailable: As in ``decode_apart``.
    """
    if media_type.startswith("text/") and source.stat().st_size <= _SMALL_BYTES:
        return _decoded(source, media_type, output)
    return decode_apart(source, media_type, output, limits)


def decode_apart(source: Path, media_type: str, output: Path, limits: Limits) -> Json:
    """Decode a file into ``output``, and give the summary of the table.

    Raises:
        Rejected: The file cannot be read, or not within the limits.
        Unavailable: The process could not work, as on a full disk.
    """
    arguments = [str(source), media_type, str(output), str(limits.memory_mb), str(limits.seconds)]
    try:
        done = subprocess.run(  # noqa: S603  (our own program)
            [sys.executable, "-m", "service.spec.datasets.decoding", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**os.environ, **_ENVIRONMENT},
            # Its processor time is limited; a busy machine may take longer.
            timeout=_START_SECONDS + 4 * limits.seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(limits) from error
    if done.returncode == 0:
        answer: Json = json.loads(done.stdout)
        if "detail" in answer:
            raise Rejected(answer["detail"], answer["errors"])
        return answer
    if done.returncode == -signal.SIGXCPU:
        raise _too_slow(limits)
    if done.returncode < 0 or done.returncode == _NO_MEMORY:
        raise _too_much(limits)
    reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    raise Unavailable(f"the file could not be decoded: {reason[:300]}")


_NO_MEMORY = 3


def _too_slow(limits: Limits) -> Rejected:
    return unreadable(f"decoding the file takes longer than {limits.seconds:g} s: send fewer rows or columns")


def _too_much(limits: Limits) -> Rejected:
    return unreadable(f"decoding the file takes more than {limits.memory_mb:,} MB: send fewer rows or columns")


def main(source: str, media_type: str, output: str, memory_mb: str, seconds: str) -> int:
    """Decode; the exit status is not 0 if the process failed, not if the file cannot be read."""
    _limit(resource.RLIMIT_DATA, int(memory_mb) << 20)
    _limit(resource.RLIMIT_CPU, round(float(seconds)))
    _limit(resource.RLIMIT_CORE, 0)
    sys.meta_path.insert(0, _NoPandas())
    try:
        answer = _decoded(Path(source), media_type, Path(output))
    except Rejected as error:
        answer = {"detail": error.detail, "errors": error.errors}
    except MemoryError:
        return _NO_MEMORY
    print(json.dumps(answer))
    return 0


def _decoded(source: Path, media_type: str, output: Path) -> Json:
    # Imported here, so that pyarrow gets the limits too.
    from service.spec.datasets.decoded_file import write_table
    from service.spec.datasets.reading import read
    from service.spec.datasets.summary import summarize

    table = read(source.read_bytes(), media_type)
    write_table(output, table)
    return summarize(table)


class _NoPandas(MetaPathFinder):
    """Hide pandas, where it is installed: pyarrow would import it for a second, and use nothing of it."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Refuse pandas, and leave everything else to others."""
        if fullname == "pandas":
            raise ImportError("pandas is not needed")


def _limit(what: int, most: int) -> None:
    """Lower a limit of this process; it may be lower already."""
    _, hard = resource.getrlimit(what)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (bound, hard))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The files of the page: everything in service/page/, and the script of the Plotly package."""

import gzip
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "page"
PLOTLY = "plotly.min.js"


@cache
def files() -> dict[str, bytes]:
    """Read all files of the page: their contents by path below the folder."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**found, PLOTLY: _plotly()}


@cache
def digest() -> str:
    """Give the digest of all files: the version of the page, equal in all processes with equal files."""
    state = blake2b(digest_size=8)
    for name, content in files().items():
        state.update(f"{name}\0{len(content)}\0".encode() + content)
    return state.hexdigest()


@cache
def compressed(name: str) -> bytes:
    """Compress a file of the page with gzip."""
    # Level 6 shrinks Plotly's 5 MB to a third in 0.25 s, once in a process.
    return gzip.compress(files()[name], 6, mtime=0)


def _plotly() -> bytes:
    # Importing the package would take 1 s and 40 MB; only its script is needed.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY).read_bytes()

"""Files of the page: those of service/page/, and Plotly from its package. They are read once, and have one digest."""

import gzip
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "page"
PLOTLY = "plotly.min.js"


@cache
def files() -> dict[str, bytes]:
    """Read all files of the page, by their paths relative to its folder."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**found, PLOTLY: _plotly()}


@cache
def digest() -> str:
    """Give the digest of all files, which is the same in every process with the same files."""
    state = blake2b(digest_size=8)
    for name, content in files().items():
        state.update(f"{name}\0{len(content)}\0".encode() + content)
    return state.hexdigest()


@cache
def compressed(name: str) -> bytes:
    # Level 6 compresses Plotly's 5 MB to a third in 0.25 s, once per process.
    return gzip.compress(files()[name], 6, mtime=0)


def _plotly() -> bytes:
    # Importing the package takes 1 s and 40 MB; only its script is needed.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY).read_bytes()

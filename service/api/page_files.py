"""The files of the page: those of service/page/, and Plotly from its own package; read once, named by a digest."""

import gzip
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "page"
PLOTLY = "plotly.min.js"


@cache
def files() -> dict[str, bytes]:
    """Read all files of the page once, by their paths below its folder."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**found, PLOTLY: _plotly()}


@cache
def digest() -> str:
    """Name this version of the page, the same in every process that has the same files."""
    state = blake2b(digest_size=8)
    for name, content in files().items():
        state.update(f"{name}\0{len(content)}\0".encode() + content)
    return state.hexdigest()


@cache
def compressed(name: str) -> bytes:
    # Level 6 takes Plotly's five megabytes to a third in a quarter of a second, once in a process.
    return gzip.compress(files()[name], 6, mtime=0)


def _plotly() -> bytes:
    # Importing the package would take a second and forty megabytes; only its script is of interest.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY).read_bytes()

"""The files of the page: everything in service/page/, its style sheets as one, and the script of the Plotly package."""

import gzip
import re
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from posixpath import dirname, normpath

FOLDER = Path(__file__).parents[1] / "page"
PLOTLY = "plotly.min.js"
# The style sheets of the folder styles, in the order of their rules: the browser loads them as one, styles.css.
STYLES = (
    *("tokens", "shell", "controls", "results", "race", "jobs", "comparison", "lessons", "train", "sweep"),
    *("compare", "data", "optimizer"),
)
_IMPORT = re.compile(r"""^(?:import|export)\b[^;]*?from "(\.[^"]+)";""", re.MULTILINE)


@cache
def files() -> dict[str, bytes]:
    """Read all files of the page: their contents by path below the folder."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    return {**found, "styles.css": b"\n".join(found[f"styles/{name}.css"] for name in STYLES), PLOTLY: _plotly()}


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


@cache
def modules(entry: str) -> tuple[str, ...]:
    """List the modules that a module imports when it is loaded, and those that they import; not what it loads later."""
    found: dict[str, None] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        for path in _IMPORT.findall(files()[name].decode()):
            imported = normpath(f"{dirname(name)}/{path}") if dirname(name) else normpath(path)
            if imported not in found:
                found[imported] = None
                waiting.append(imported)
    return tuple(found)


def _plotly() -> bytes:
    # Importing the package would take 1 s and 40 MB; only its script is needed.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY).read_bytes()

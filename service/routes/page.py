"""The page at /: plain files of this package, and Plotly from its own; nothing from a foreign host, no inline script.

Every file is asked for below the digest of all of them, so that a browser keeps it for ever and never mixes two
versions. Only the document itself is asked for again.
"""

import gzip
import html
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from fastapi import APIRouter, Request, Response

from service.errors import NotFound

router = APIRouter(include_in_schema=False)

FOLDER = Path(__file__).parent.parent / "page"
PLOTLY = "plotly.min.js"
# Plotly sets styles of elements and adds a sheet of its own; its pictures are saved from blob: and data: addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
VIEWS = ("/", "/train", "/sweep", "/jobs", "/jobs/{job_id}", "/lessons", "/lessons/{lesson_id}")


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
def _compressed(name: str) -> bytes:
    # Level 6 takes Plotly's five megabytes to a third in a quarter of a second, once in a process.
    return gzip.compress(files()[name], 6, mtime=0)


def _plotly() -> bytes:
    # Importing the package would take a second and forty megabytes; only its script is of interest.
    spec = find_spec("plotly")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "package_data" / PLOTLY).read_bytes()


def view(request: Request) -> Response:
    """Show the page; which view it is, its own script reads from the address."""
    root = html.escape(request.scope.get("root_path", "").rstrip("/"), quote=True)
    document = files()["index.html"].decode().replace("{root}", root).replace("{files}", f"{root}/page/{digest()}")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response(document, headers=headers, media_type="text/html")


for path in VIEWS:
    router.add_api_route(path, view, methods=["GET"])


@router.get("/page/{version}/{name:path}")
def part(version: str, name: str, request: Request) -> Response:
    """Give a file of the page."""
    if name not in files():
        raise NotFound(f"the page has no file {name!r}")
    # A document of another version is still open somewhere, or another process is being replaced: right, but not kept.
    headers = {"Cache-Control": FOREVER if version == digest() else "no-store", "Vary": "Accept-Encoding"}
    content = files()[name]
    if "gzip" in request.headers.get("accept-encoding", "") and len(content) > 1_000:
        headers["Content-Encoding"] = "gzip"
        content = _compressed(name)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[PurePosixPath(name).suffix])

"""The page at /: static files of this server. It loads nothing from other hosts and has no inline script.

The address of every file contains the digest of all files. A browser caches the files for good and never mixes two
versions; it revalidates only the document.
"""

import gzip
import html
from functools import cache
from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

from service.api.page_files import compressed, digest, files, modules
from service.errors import NotFound

router = APIRouter(include_in_schema=False)

# Plotly sets inline styles and adds a style sheet; it saves pictures from blob: and data: addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
VIEWS = (
    "/",
    "/compare",
    "/train",
    "/sweep",
    "/data",
    "/optimizer",
    "/presets",
    "/jobs",
    "/jobs/{job_id}",
    "/jobs/{job_id}/runs/{index}",
    "/lessons",
    "/lessons/{lesson_id}",
)


def view(request: Request) -> Response:
    """Give the document of the page; its script chooses the view by the address."""
    root = html.escape(request.scope.get("root_path", "").rstrip("/"), quote=True)
    name = request.url.path.removeprefix(request.scope.get("root_path", "")).split("/")[1] or "race"
    document = files()["index.html"].decode().replace("{modules}", _preloads(name))
    document = document.replace("{root}", root).replace("{files}", f"{root}/page/{digest()}")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(document, headers=headers, media_type="text/html")
    headers["Content-Encoding"] = "gzip"
    return Response(gzip.compress(document.encode(), 6, mtime=0), headers=headers, media_type="text/html")


@cache
def _preloads(name: str) -> str:
    """Name the modules of a view, so that the browser requests all at once instead of one level after the other."""
    entry = f"{name}/view.js"
    found = dict.fromkeys((*modules("main.js"), entry, *modules(entry)))
    return "\n".join(f'<link rel="modulepreload" href="{{files}}/{one}">' for one in found)


for path in VIEWS:
    router.add_api_route(path, view, methods=["GET"])


@router.get("/page/{version}/{name:path}")
def part(version: str, name: str, request: Request) -> Response:
    """Give a file of the page."""
    if name not in files():
        raise NotFound(f"the page has no file {name!r}")
    # During an upgrade a document of another version may request this file: answer it, but do not let it be cached.
    headers = {"Cache-Control": FOREVER if version == digest() else "no-store", "Vary": "Accept-Encoding"}
    content = files()[name]
    if "gzip" in request.headers.get("accept-encoding", "") and len(content) > 1_000:
        headers["Content-Encoding"] = "gzip"
        content = compressed(name)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[PurePosixPath(name).suffix])

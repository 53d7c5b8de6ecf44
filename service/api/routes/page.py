"""The page at /: plain files of this server, nothing from a foreign host, no inline script.

Every file is asked for below the digest of all of them, so that a browser keeps it for ever and never mixes two
versions. Only the document itself is asked for again.
"""

import html
from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

from service.api.page_files import compressed, digest, files
from service.errors import NotFound

router = APIRouter(include_in_schema=False)

# Plotly sets styles of elements and adds a sheet of its own; its pictures are saved from blob: and data: addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
FOREVER = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
VIEWS = ("/", "/train", "/sweep", "/jobs", "/jobs/{job_id}", "/lessons", "/lessons/{lesson_id}")


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
        content = compressed(name)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[PurePosixPath(name).suffix])

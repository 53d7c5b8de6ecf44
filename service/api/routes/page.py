"""Routes of the page at /: its files are served from this host, without inline scripts.

The path of a file contains the digest of all files. Browsers therefore cache files without expiry, and never mix two
versions. Only the document itself is revalidated.
"""

import html
from pathlib import PurePosixPath

from fastapi import APIRouter, Request, Response

from service.api.page_files import compressed, digest, files
from service.errors import NotFound

router = APIRouter(include_in_schema=False)

# Plotly sets inline styles and adds a style sheet; it saves pictures through blob: and data: URLs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
NO_EXPIRY = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
VIEWS = ("/", "/train", "/sweep", "/jobs", "/jobs/{job_id}", "/lessons", "/lessons/{lesson_id}")


def view(request: Request) -> Response:
    """Serve the document of the page; its script selects the view by the URL."""
    root = html.escape(request.scope.get("root_path", "").rstrip("/"), quote=True)
    document = files()["index.html"].decode().replace("{root}", root).replace("{files}", f"{root}/page/{digest()}")
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Response(document, headers=headers, media_type="text/html")


for path in VIEWS:
    router.add_api_route(path, view, methods=["GET"])


@router.get("/page/{version}/{name:path}")
def part(version: str, name: str, request: Request) -> Response:
    """Serve a file of the page."""
    if name not in files():
        raise NotFound(f"the page has no file {name!r}")
    # A browser may show a document of another version, or another process may run one: answer, but do not cache.
    headers = {"Cache-Control": NO_EXPIRY if version == digest() else "no-store", "Vary": "Accept-Encoding"}
    content = files()[name]
    if "gzip" in request.headers.get("accept-encoding", "") and len(content) > 1_000:
        headers["Content-Encoding"] = "gzip"
        content = compressed(name)
    return Response(content, headers=headers, media_type=MEDIA_TYPES[PurePosixPath(name).suffix])

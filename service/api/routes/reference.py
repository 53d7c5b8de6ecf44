"""Routes of the interactive reference at /docs: Swagger UI, served from this host, without inline scripts."""

from importlib.resources import files
from typing import Literal

from fastapi import APIRouter, Response

router = APIRouter(include_in_schema=False)

# Swagger UI sets inline styles and loads its arrows from data: URLs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Ravine</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" href="data:,">
</head>
<body>
<div id="reference"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#reference", deepLinking: true});\n'
_MEDIA_TYPES = {"css": "text/css", "js": "text/javascript"}


@router.get("/docs")
def docs() -> Response:
    """Serve the document of the reference."""
    return Response(_PAGE, headers={"Content-Security-Policy": _POLICY}, media_type="text/html")


@router.get("/docs/{name}")
def part(name: Literal["swagger-ui.css", "swagger-ui-bundle.js", "start.js"]) -> Response:
    """Serve a style sheet or script of the reference."""
    content = _START if name == "start.js" else files("fastapi_swagger.resources").joinpath(name).read_bytes()
    headers = {"Cache-Control": "max-age=3600"}
    return Response(content, headers=headers, media_type=_MEDIA_TYPES[name.rpartition(".")[2]])

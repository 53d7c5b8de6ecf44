"""The API that also answers a constant, before middleware and routing: ``python -m benchmarks.constant FD``.

Plain requests for a status are answered nearly as early, behind the request log. A route would pass all middleware, and
answer more slowly than a status.
"""

import socket
import sys

from fastapi import FastAPI, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api.app import create_app
from service.cli.local.serve import serve

PATH = "/constant"


class Constant:
    """Answer the constant, and let the application answer all other requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "http" and scope["path"] == PATH:
            await Response(b'{"status":"completed"}', media_type="application/json")(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def application() -> FastAPI:
    """Make the application; uvicorn calls this."""
    app = create_app()
    app.add_middleware(Constant)
    return app


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), "benchmarks.constant:application")

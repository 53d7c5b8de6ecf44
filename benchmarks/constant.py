"""The API with one more route that answers a constant, to measure HTTP alone: ``python -m benchmarks.constant FD``."""

import socket
import sys

from fastapi import FastAPI, Response

from service.api.app import create_app
from service.cli.local.serve import serve

PATH = "/constant"


def application() -> FastAPI:
    """Make the application; uvicorn calls this."""
    app = create_app()

    @app.get(PATH)
    async def constant() -> Response:
        return Response(b'{"status":"completed"}', media_type="application/json")

    return app


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), "benchmarks.constant:application")

"""The embedded stack in a temporary folder, with a client, for benchmarks."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from service.cli.local.stack import LocalStack

# Connections that stay open: as many as a benchmark has threads.
KEPT = httpx.Limits(max_connections=200, max_keepalive_connections=200)


@contextmanager
def embedded_stack(*, workers: int) -> Iterator[httpx.Client]:
    """Start a stack on SQLite with these workers and one for small jobs; give a client of its API."""
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), port=0, workers=workers) as stack,
        httpx.Client(base_url=stack.url, timeout=120, trust_env=False, limits=KEPT) as client,
    ):
        yield client

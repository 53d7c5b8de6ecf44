"""Run measurements, print a table and a line of JSON: ``python -m benchmarks [engine] [digits] …``."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table


def road() -> dict[str, Any]:
    """Measure through the embedded stack, as a user meets it."""
    from benchmarks import road
    from service.cli.local.stack import LocalStack

    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), port=0, workers=2) as stack,
        httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client,
    ):
        return road.measure(client)


def engine() -> dict[str, Any]:
    """Measure the engine in this process."""
    from benchmarks import engine

    return engine.measure()


def sweep() -> dict[str, Any]:
    """Measure large sweeps through stacks of their own."""
    from benchmarks import sweep

    return sweep.measure()


def digits() -> dict[str, Any]:
    """Measure stacks of digits networks in this process."""
    from benchmarks import digits

    return digits.measure()


def recovery() -> dict[str, Any]:
    """Measure how long jobs stand still that lose their worker, through stacks of their own."""
    from benchmarks import recovery

    return recovery.measure()


def start() -> dict[str, Any]:
    """Measure the start of `ravine up`, its first job and its memory."""
    from benchmarks import start

    return start.measure()


def load() -> dict[str, Any]:
    """Measure many clients, many jobs and long histories through stacks of their own."""
    from benchmarks import load

    return load.measure()


def formats() -> dict[str, Any]:
    """Measure a long history in every format, through the embedded stack."""
    from benchmarks import formats
    from service.cli.local.stack import LocalStack

    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), port=0, workers=1) as stack,
        httpx.Client(base_url=stack.url, timeout=120, trust_env=False) as client,
    ):
        return formats.measure(client)


def page() -> dict[str, Any]:
    """Measure the page in a browser, on the embedded stack."""
    from benchmarks import page
    from service.cli.local.stack import LocalStack

    with (
        tempfile.TemporaryDirectory() as folder,
        LocalStack(Path(folder), port=0, workers=1) as stack,
        httpx.Client(base_url=stack.url, timeout=120, trust_env=False) as client,
    ):
        return page.measure(client)


def storage() -> dict[str, Any]:
    """Measure writing, long tables, exports and bytes on disk, on both databases."""
    from benchmarks import storage

    return storage.measure()


def serving() -> dict[str, Any]:
    """Measure how fast jobs are told of and listed, through an API process alone."""
    from benchmarks import serving

    return serving.measure()


def scale() -> dict[str, Any]:
    """Measure what work costs on PostgreSQL, and how much of it can be kept up."""
    from benchmarks import scale

    return scale.measure()


def peer() -> dict[str, Any]:
    """Measure the same histories in an MLflow tracking server and here."""
    from benchmarks import peer

    return peer.measure()


def comparison() -> dict[str, Any]:
    """Measure how long comparisons of large jobs take, over HTTP."""
    from benchmarks import comparison

    return comparison.measure()


def coverage() -> dict[str, Any]:
    """Count how often intervals hold the truth, and how often tests see what is not there."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # As the API does, before numpy is loaded.
    from benchmarks import coverage

    return coverage.measure()


BENCHMARKS: dict[str, Callable[[], dict[str, Any]]] = {
    "engine": engine,
    "digits": digits,
    "road": road,
    "sweep": sweep,
    "recovery": recovery,
    "start": start,
    "load": load,
    "formats": formats,
    "storage": storage,
    "serving": serving,
    "scale": scale,
    "comparison": comparison,
    "page": page,
    "coverage": coverage,
}
# Needs an environment of its own, see `make bench-peer`.
BENCHMARKS_ASKED_FOR = {"peer": peer}


def main() -> None:
    """Run what was named, or everything."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    console = Console()
    figures: dict[str, Any] = {}
    for name in chosen:
        with console.status(f"measuring: {name}"):
            found = (BENCHMARKS | BENCHMARKS_ASKED_FOR)[name]()
        table = Table(name, "value")
        for what, value in found.items():
            table.add_row(what, f"{value:,.3f}")
        # At once: whoever stops a long bench keeps what it has measured.
        console.print(table)
        figures |= {f"{name}: {what}": value for what, value in found.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

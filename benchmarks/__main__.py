"""Run benchmarks, and print a table of each and one line of JSON: ``python -m benchmarks [engine] [digits] …``."""

import argparse
import ast
import importlib
import json
import os
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.table import print_figures

# In the order in which they run; each is a module with a function `measure`.
BENCHMARKS = (
    "engine",
    "digits",
    "road",
    "sweep",
    "recovery",
    "start",
    "load",
    "formats",
    "storage",
    "serving",
    "scale",
    "comparison",
    "page",
    "coverage",
)
# Runs where it is named only: it needs an environment of its own, see `make bench-peer`.
BY_NAME_ONLY = ("peer",)
# Set before a module is loaded: numpy reads it then, and the API has the same setting.
ENVIRONMENT = {"coverage": {"OPENBLAS_NUM_THREADS": "1"}}


def describe(name: str) -> str:
    """Give the first line of a benchmark's docstring without loading its module."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def parse_names(arguments: list[str] | None = None) -> list[str]:
    """Read which benchmarks to run.

    Raises:
        SystemExit: An unknown name, with exit code 2; help, with 0.
    """
    known = (*BENCHMARKS, *BY_NAME_ONLY)
    lines = [f"  {name:<{max(map(len, known))}}  {describe(name)}" for name in known]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Run benchmarks, and print a table of each and one line of JSON with all figures.",
        epilog="\n".join(["benchmarks:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"what to measure; without a name all but {', '.join(BY_NAME_ONLY)}"
    )
    names: list[str] = parser.parse_args(arguments).names
    for name in names:
        if name not in known:
            parser.error(f"There is no benchmark {name!r}. The benchmarks are {', '.join(known)}.")
    return names or list(BENCHMARKS)


def main() -> None:
    """Run the benchmarks that are named, or all."""
    console = Console()
    figures: dict[str, Any] = {}
    for name in parse_names():
        for variable, value in ENVIRONMENT.get(name, {}).items():
            os.environ.setdefault(variable, value)
        with console.status(f"measuring: {name}"):
            found = importlib.import_module(f"benchmarks.{name}").measure()
        # Each table as soon as it is there: an interrupted run keeps the figures before it.
        print_figures(console, name, found)
        figures |= {f"{name}: {what}": value for what, value in found.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

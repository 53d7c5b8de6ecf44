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

# The benchmarks in the order in which they run; each is a module with a function `measure`.
BENCHMARKS = (
    "engine",
    "formula",
    "digits",
    "data",
    "price",
    "road",
    "sweep",
    "recovery",
    "start",
    "load",
    "formats",
    "rows",
    "storage",
    "disk",
    "serving",
    "scale",
    "comparison",
    "question",
    "heavy_reads",
    "upload",
    "page",
    "coverage",
    "decide",
)
# Runs only if it is named, because it needs another environment (`make bench-peer`).
BY_NAME_ONLY = ("peer",)
# Set before numpy is loaded, which reads it; the API has the same setting.
ENVIRONMENT = {"coverage": {"OPENBLAS_NUM_THREADS": "1"}, "decide": {"OPENBLAS_NUM_THREADS": "1"}}


def describe(name: str) -> str:
    """Give the first line of the docstring of a benchmark without importing its module."""
    source = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def parse_names(arguments: list[str] | None = None) -> list[str]:
    """Read the names of the benchmarks to run.

    Raises:
        SystemExit: With exit code 2 for an unknown name, 0 after the help.
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
        "names", nargs="*", metavar="NAME", help=f"benchmarks to run; without a name all but {', '.join(BY_NAME_ONLY)}"
    )
    names: list[str] = parser.parse_args(arguments).names
    for name in names:
        if name not in known:
            parser.error(f"There is no benchmark {name!r}. The benchmarks are {', '.join(known)}.")
    return names or list(BENCHMARKS)


def main() -> None:
    """Run the named benchmarks, or all."""
    console = Console()
    figures: dict[str, Any] = {}
    for name in parse_names():
        for variable, value in ENVIRONMENT.get(name, {}).items():
            os.environ.setdefault(variable, value)
        with console.status(f"measuring: {name}"):
            found = importlib.import_module(f"benchmarks.{name}").measure()
        # Each table is printed at once, so that an interrupted run has shown the tables before it.
        print_figures(console, name, found)
        figures |= {f"{name}: {what}": value for what, value in found.items()}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

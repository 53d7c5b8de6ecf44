"""Figures of a benchmark as a table."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table


def print_figures(console: Console, name: str, figures: Mapping[str, float]) -> None:
    """Print a line for each figure."""
    table = Table(name, "value")
    for what, value in figures.items():
        table.add_row(what, f"{value:,.3f}")
    console.print(table)

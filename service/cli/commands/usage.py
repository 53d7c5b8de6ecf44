"""`ravine usage`: what a key stores and what its jobs have open."""

from service.cli.commands.conventions import AsJson, console, print_json, service

_LIMIT_OF = {"jobs": "open", "runs": "open", "rows": "stored + open", "bytes": "stored + open", "work": "open",
             "datasets": "stored", "dataset_bytes": "stored"}  # fmt: skip


def usage(as_json: AsJson = False) -> None:
    """Show what your key stores and what its jobs have open, with the limits."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        found = ravine.usage()
    if as_json:
        print_json(found)
        return
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in ("stored", "open", "limit"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("limit of", no_wrap=True)
    for name, limit_of in _LIMIT_OF.items():
        if (of_name := found.get(name)) is None:
            continue  # The service is older.
        amounts = [_written(of_name.get(amount)) for amount in ("stored", "open", "limit")]
        table.add_row(name.replace("_", " "), *amounts, limit_of if of_name["limit"] is not None else "")
    console().print(table)


def _written(number: float | None) -> str:
    return "–" if number is None else f"{number:,.0f}"

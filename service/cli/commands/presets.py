"""`ravine presets`: list the experiments that `ravine submit` accepts by name."""

import typer

from service.cli.commands.conventions import AsJson, console, print_json, service


def list_presets(as_json: AsJson = False) -> None:
    """List the presets that `ravine submit` accepts by name."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        presets = ravine.catalogue("presets")
    if as_json:
        print_json(presets)
        return
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    # Names are copied, so they are never cut.
    table.add_column("name", no_wrap=True, min_width=max(len(preset["name"]) for preset in presets))
    table.add_column("problem")
    table.add_column("experiment")
    for preset in presets:
        table.add_row(preset["name"], preset["problem"], preset["title"])
    console().print(table)
    typer.echo("Submit one: ravine submit NAME --watch")

"""`ravine optimizers`: the kinds of optimizer, each as an entry to start from: a formula, or an installed class."""

from typing import Annotated

import typer

from service.cli.commands.conventions import WRONG_USE, AsJson, as_text, console, give_up, print_json, service

app = typer.Typer(help="List the kinds of optimizer, and show one as a formula.", no_args_is_help=True)


@app.command("list")
def list_optimizers(as_json: AsJson = False) -> None:
    """List the kinds of optimizer with their formulas."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        kinds = ravine.catalogue("optimizers")
    if as_json:
        print_json(kinds)
        return
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("kind", no_wrap=True, min_width=max(len(one["kind"]) for one in kinds))
    table.add_column("formula")
    for one in kinds:
        table.add_row(one["kind"], as_text(one["formula"]))
    console().print(table)
    typer.echo("Show one as an entry of your own: ravine optimizers show KIND")


@app.command()
def show(kind: Annotated[str, typer.Argument(metavar="KIND", help="Kind of optimizer, such as adam.")]) -> None:
    """Print a built-in optimizer as an entry of kind formula, or an installed class with its hyper-parameters."""
    with service() as ravine:
        entries = {
            one["kind"]: one["offered"]["entry"] if one.get("offered") else one["as_formula"]
            for one in ravine.catalogue("optimizers")
        }
    known = [name for name, entry in entries.items() if entry]
    if kind not in known:
        reason = "cannot be written as a formula" if kind in entries else "is no kind of optimizer"
        give_up(f"{kind} {reason}; these can: {', '.join(known)}", WRONG_USE)
    print_json(entries[kind])

"""`ravine data`: upload, list, show and delete datasets."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands.conventions import AsJson, as_text, console, print_json, service, written

app = typer.Typer(help="Upload, list, show and delete datasets.", no_args_is_help=True)

DatasetId = Annotated[str, typer.Argument(metavar="ID", help="Id of a dataset, or the name of a built-in one.")]
# Smaller files are sent before a bar could be read.
_BAR_BYTES = 4_000_000


@app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file .csv, .tsv, .parquet, .npz or .txt.")],
    name: Annotated[str | None, typer.Option(help="Name of the dataset; by default that of the file.")] = None,
    ttl: Annotated[int | None, typer.Option(min=1, help="Seconds after which the dataset is deleted.")] = None,
    as_json: AsJson = False,
) -> None:
    """Upload a file and print the id of the dataset. The same file again gives the same dataset."""
    with service() as ravine, _bar(file) as progress:
        made = ravine.upload(file, name=name, ttl_seconds=ttl, progress=progress)
    if as_json:
        print_json(made)
    else:
        typer.echo(made["id"])


@app.command("list")
def list_datasets(
    limit: Annotated[int, typer.Option(min=1, help="Largest number of datasets.")] = 20, as_json: AsJson = False
) -> None:
    """List datasets, newest first, then built-in ones."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        found = list(islice(ravine.datasets(), limit))
    if as_json:
        print_json(found)
        return
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    table.add_column("id", no_wrap=True, min_width=max(len(one["id"]) for one in found))
    for column in ("shape", "bytes"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("name")
    for one in found:
        table.add_row(one["id"], _shape(one["shape"]), f"{one['bytes']:,}", as_text(one["name"]))
    console().print(table)


@app.command()
def show(dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Show a dataset: its columns with kind, missing and distinct values, and range."""
    from rich.box import SIMPLE
    from rich.table import Table

    with service() as ravine:
        found = ravine.dataset(dataset_id)
    if as_json:
        print_json(found)
        return
    out = console()
    until = f", until {found['expires_at']}" if found["expires_at"] else ""
    out.print(as_text(f"{found['name']}  {found['id']}"), soft_wrap=True)
    out.print(f"{_shape(found['shape'])}, {found['bytes']:,} bytes, {found['media_type']}{until}", soft_wrap=True)
    table = Table(box=SIMPLE, show_edge=False, pad_edge=False)
    for header in ("column", "kind"):
        table.add_column(header)
    for header in ("missing", "distinct", "min", "max", "mean"):
        table.add_column(header, justify="right", no_wrap=True)
    for column in found["columns"] or ():
        distinct = "–" if column["distinct"] is None else f"{column['distinct']:,}"
        numbers = (written(column[of]) for of in ("min", "max", "mean"))
        table.add_row(as_text(column["name"]), column["kind"], f"{column['missing']:,}", distinct, *numbers)
    out.print(table)


@app.command()
def rm(dataset_id: DatasetId, as_json: AsJson = False) -> None:
    """Delete a dataset that no open job uses."""
    with service() as ravine:
        ravine.delete_dataset(dataset_id)
    if as_json:
        print_json({"id": dataset_id, "deleted": True})
    else:
        typer.echo(f"{dataset_id} is deleted.")


def _shape(shape: list[int]) -> str:
    return " × ".join(f"{one:,}" for one in shape)


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int, int], object] | None]:
    """Show a progress bar on standard error for a large file, if that is a terminal."""
    out = console(stderr=True)
    if not out.is_terminal or not file.is_file() or file.stat().st_size < _BAR_BYTES:
        yield None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description:>10}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=out, transient=True) as shown:
        task = shown.add_task("sending", total=None)

        def progress(sent: int, size: int) -> None:
            shown.update(task, completed=sent, total=size, description="reading" if sent >= size else "sending")

        yield progress

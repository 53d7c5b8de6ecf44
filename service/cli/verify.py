"""`ravine verify`: train a bundle again on this machine, and compare every value with it."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands.conventions import INTERRUPTED, NOT_REACHABLE, give_up

_COULD_NOT_TRAIN = NOT_REACHABLE


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="File written by `ravine bundle`.")],
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway", help="Train although torch or the processor is another one, and compare every value to the end."
        ),
    ] = False,
    dataset: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File of the uploaded dataset of the job, if the bundle does not contain it."
        ),
    ] = None,
) -> None:
    """Train a bundle again without a service, and compare every value bit by bit.

    Exit codes: 0 all values are the same · 1 a value differs, and the first one is named · 2 the file is no bundle · 3
    another version of torch, another processor, or torch is not installed.
    """
    from service.cli.local.preconditions import StackError, require_torch

    try:
        require_torch()
    except StackError as error:
        give_up(str(error), _COULD_NOT_TRAIN)
    command = [sys.executable, "-P", "-m", "worker.verify", str(bundle), *(["--anyway"] if anyway else [])]
    command += [] if dataset is None else ["--dataset", str(dataset)]
    sys.stdout.flush()
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603  (no shell is involved)
    except KeyboardInterrupt:
        code = INTERRUPTED
    raise typer.Exit(code if code >= 0 else INTERRUPTED)

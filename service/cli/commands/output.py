"""Outputs of commands that are files: the option --output of every command."""

import sys
from collections.abc import Iterable
from pathlib import Path

from service.cli.commands.conventions import WRONG_USE, give_up


def print_bytes(pieces: Iterable[bytes]) -> None:
    """Write pieces to the standard output as they arrive."""
    for piece in pieces:
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()


def write_file(pieces: Iterable[bytes], output: Path) -> None:
    """Write pieces as they arrive. A file gets its name when it is complete; devices and pipes are written to.

    An output that cannot be written ends the command.
    """
    try:
        if output.exists() and not output.is_file():
            with output.open("wb") as device:
                device.writelines(pieces)
        else:
            _replace(pieces, output.resolve() if output.is_symlink() else output)
    except BrokenPipeError:
        raise
    except OSError as error:
        give_up(f"{output} cannot be written: {error.strerror}", WRONG_USE)


def _replace(pieces: Iterable[bytes], output: Path) -> None:
    unfinished = output.with_name(f"{output.name}.part")
    try:
        with unfinished.open("wb") as file:
            file.writelines(pieces)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)

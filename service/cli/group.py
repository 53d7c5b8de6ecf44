"""The group of all commands. A command whose output or settings are unusable ends with one line."""

import errno
import os
import sys
from contextlib import suppress
from typing import Any

import typer
from typer.core import TyperGroup

from service.cli.commands.conventions import WRONG_USE, give_up

# Errors of a write to a file, a device or a pipe.
_OUTPUT = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


class Commands(TyperGroup):
    """Commands with common ends: 0 if the reader of the output has left, 2 if the output or a setting is unusable."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command, and write all of its output."""
        try:
            try:
                return super().invoke(ctx)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # As in `ravine history ID --format csv | head`.
            _discard_output()
            raise typer.Exit(0) from None
        except OSError as error:
            if error.errno not in _OUTPUT:
                raise
            _discard_output()
            give_up(f"the output cannot be written: {error.strerror}", WRONG_USE)
        except ValueError as error:
            # The settings are loaded only by the commands that use them.
            settings = sys.modules.get("service.settings")
            if settings is None or not isinstance(error, settings.InvalidSetting):
                raise
            give_up(str(error), WRONG_USE)


def _discard_output() -> None:
    """Send what is left in the buffer to the null device; Python would fail again at its exit."""
    with suppress(OSError, ValueError):  # Of a standard output without a file descriptor.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)

"""Shared parts of the commands: the client, exit codes, and output as text or JSON."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from service.spec.visible import INVISIBLE, visible

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from service.client import Ravine

JOB_FAILED, WRONG_USE, NOT_REACHABLE, INTERRUPTED = 1, 2, 3, 130
EXIT_CODES = """Commands that send requests use the address RAVINE_URL (by default http://127.0.0.1:8000) and the key
RAVINE_API_KEY.

Exit codes: 0 success · 1 the job failed or was cancelled, or a local process failed · 2 wrong use: the command line,
a setting, an output that cannot be written, or a request that the service rejects · 3 the service cannot be reached or
is unavailable · 130 Ctrl-C."""

JobId = Annotated[str, typer.Argument(metavar="ID", help="Id of a job; `ravine jobs` lists them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer of the service as JSON, for scripts.")]

_WIDTH = 120  # Width of the output without a terminal, in characters.


@contextmanager
def service(**options: Any) -> Iterator["Ravine"]:
    """Give a client with these options. Its errors end the command with their message and exit code."""
    from service.client import Ravine, RavineError
    from service.client.errors import NotAnAddress, Refused

    try:
        with Ravine(**options) as ravine:
            yield ravine
    except RavineError as error:
        give_up(str(error), WRONG_USE if isinstance(error, Refused | NotAnAddress) else NOT_REACHABLE)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def give_up(reason: str, code: int) -> NoReturn:
    """Print the reason to standard error, and exit."""
    lines = "\n".join(visible(line) for line in reason.split("\n"))
    typer.secho(f"ravine: {lines}", fg="red", err=True)
    raise typer.Exit(code)


def console(*, stderr: bool = False) -> "Console":
    """Make a console. Without a terminal its width is fixed."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            """Raise the error, so that it ends every command alike (service/cli/group.py); rich would exit with 1."""
            raise BrokenPipeError

    made = Output(highlight=False, stderr=stderr)
    return made if made.is_terminal else Output(highlight=False, stderr=stderr, width=_WIDTH)


def as_text(text: str, style: str = "") -> "Text":
    """Make a text for a console or a table in which markup of rich and control characters are shown, not run."""
    from rich.text import Text

    return Text(visible(text), style=style)


def print_json(value: Any) -> None:
    """Print JSON as the API writes it: "NaN", "Infinity" and "-Infinity" are texts. Control characters are escaped."""
    text = json.dumps(_strict(value), ensure_ascii=False, indent=2, allow_nan=False)
    lines = (INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", line) for line in text.split("\n"))
    sys.stdout.write("\n".join(lines) + "\n")


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_strict(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def written(value: float | str | None) -> str:
    """Format a number for a table with four significant digits; an en dash if it was not measured."""
    return "–" if value is None else f"{float(value):.4g}"

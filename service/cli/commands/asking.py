"""What the commands that ask a service share: its address, exit codes, and output for people or for scripts."""

import json
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from service.client import Ravine

JOB_FAILED, WRONG_USE, NOT_REACHABLE, INTERRUPTED = 1, 2, 3, 130
EXIT_CODES = """Commands that ask a service look for it at RAVINE_URL (http://127.0.0.1:8000 where that is not set) and
send RAVINE_API_KEY.

Exit codes: 0 fine · 1 the job failed or was cancelled, or what runs here cannot go on · 2 wrong use: the command line,
or a request that the service refuses · 3 the service cannot be reached or cannot answer now · 130 Ctrl-C."""

JobId = Annotated[str, typer.Argument(metavar="ID", help="Id of a job: `ravine jobs` lists them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the service answers, for scripts.")]

_WIDTH = 120  # Where there is no terminal to fill.


@contextmanager
def service() -> Iterator["Ravine"]:
    """Give a client; its errors end the command in the service's own words, with their exit code."""
    from service.client import Ravine, RavineError
    from service.client.errors import Refused

    try:
        with Ravine() as ravine:
            yield ravine
    except RavineError as error:
        give_up(str(error), WRONG_USE if isinstance(error, Refused) else NOT_REACHABLE)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def give_up(reason: str, code: int) -> NoReturn:
    """Say why on standard error, and leave."""
    typer.secho(f"ravine: {reason}", fg="red", err=True)
    raise typer.Exit(code)


def console(*, stderr: bool = False) -> "Console":
    """Make a console that does not wrap for a terminal that is not there."""
    from rich.console import Console

    made = Console(highlight=False, stderr=stderr)
    return made if made.is_terminal else Console(highlight=False, stderr=stderr, width=_WIDTH)


def print_json(value: Any) -> None:
    """Print JSON as the API writes it: what is not finite is "NaN", "Infinity" or "-Infinity"."""
    json.dump(_strict(value), sys.stdout, ensure_ascii=False, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _strict(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_strict(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def written(value: float | str | None) -> str:
    """Write a number for a table: four digits that count; an en dash where nothing was measured."""
    return "–" if value is None else f"{float(value):.4g}"

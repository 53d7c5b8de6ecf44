"""Output of the processes at the terminal."""

import re
import threading
from collections import defaultdict, deque
from contextlib import suppress

import typer

from service.observing.logs import readable

_COLOURS = {"broker": "magenta", "api": "cyan", "workers": "green"}
_WIDTH = max(map(len, _COLOURS))
# Lines of other programs, or from before the log was configured: "INFO: text", "[time: INFO/MainProcess] text".
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)[:/]")
_SERIOUS = {"WARNING", "ERROR", "CRITICAL"}
_THREAD_DIED = "Exception in thread"  # Printed by Python without a level, before a traceback.
_HELD_LINES = 5


class Console:
    """Prints lines of the processes, each with the name of its process: warnings and errors, or all lines.

    A line without a level has the level of the line before it, as in a traceback. The last lines that were not printed
    are held, and printed if the process ends unexpectedly, because they may contain the reason.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._is_serious: dict[str, bool] = {}
        self._held: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_HELD_LINES))
        self._lock = threading.Lock()  # Several threads print.

    def line(self, process: str, line: str) -> None:
        """Print a line if its level is WARNING or above, or if the console is verbose."""
        level, line = readable(line)
        if level is None and (found := _LEVEL.search(line[:80])):
            level = found[1]
        with self._lock:
            if level:
                self._is_serious[process] = level in _SERIOUS
            elif line.startswith(_THREAD_DIED):
                self._is_serious[process] = True
            if self._verbose or self._is_serious.get(process, False):
                self._print(process, line)
            else:
                self._held[process].append(line)

    def death(self, process: str, sentence: str) -> None:
        """Print that a process is restarted, and why."""
        with self._lock:
            for line in self._held.pop(process, ()):
                self._print(process, line)
            self._print(process, typer.style(sentence, fg="yellow"))
            self._is_serious[process] = False

    def _print(self, process: str, text: str) -> None:
        # If the terminal was closed, the output of the processes must still be read; their log files have all lines.
        # typer omits colours if standard error is not a terminal.
        with suppress(OSError):
            typer.echo(f"{typer.style(process.rjust(_WIDTH), fg=_COLOURS.get(process))} │ {text}", err=True)

"""Output of the parts at the terminal."""

import re
import threading
from collections import defaultdict, deque
from contextlib import suppress

import typer

from service.observing.logs import readable

_COLOURS = {"broker": "magenta", "api": "cyan", "workers": "green"}
_WIDTH = max(map(len, _COLOURS))
# What is not of ours, or was printed before the log was set up: "INFO: text", "[time: INFO/MainProcess] text".
_LEVEL = re.compile(r"\b(DEBUG|INFO|WARNING|ERROR|CRITICAL)[:/]")
_SERIOUS = {"WARNING", "ERROR", "CRITICAL"}
_THREAD_DIED = "Exception in thread"  # Python's own words, without a level; the traceback follows.
_HELD_LINES = 5


class Console:
    """Prints lines of the parts, each with its part's name: warnings and errors, or everything.

    A line without a level of its own belongs to the line before it, as those of a traceback do. The last lines that
    were not worth printing are held: when the part dies they may say why.
    """

    def __init__(self, *, verbose: bool = False) -> None:
        self._verbose = verbose
        self._is_serious: dict[str, bool] = {}
        self._held: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_HELD_LINES))
        self._lock = threading.Lock()  # Lines of several parts must not mix.

    def line(self, part: str, line: str) -> None:
        """Print a part's line if it is serious, or if everything is wanted."""
        level, line = readable(line)
        if level is None and (found := _LEVEL.search(line[:80])):
            level = found[1]
        with self._lock:
            if level:
                self._is_serious[part] = level in _SERIOUS
            elif line.startswith(_THREAD_DIED):
                self._is_serious[part] = True
            if self._verbose or self._is_serious.get(part, False):
                self._print(part, line)
            else:
                self._held[part].append(line)

    def death(self, part: str, sentence: str) -> None:
        """Print that a part is started again, and why."""
        with self._lock:
            for line in self._held.pop(part, ()):
                self._print(part, line)
            self._print(part, typer.style(sentence, fg="yellow"))
            self._is_serious[part] = False

    def _print(self, part: str, text: str) -> None:
        # A terminal that is gone must not stop the reading of the parts; their logs have it all. Colours are left out
        # where standard error is no terminal.
        with suppress(OSError):
            typer.echo(f"{typer.style(part.rjust(_WIDTH), fg=_COLOURS.get(part))} │ {text}", err=True)

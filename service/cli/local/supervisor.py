"""Several parts that start, run and stop together."""

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from service.cli.local.part import Part
from service.cli.local.preconditions import StackError

STOP_SECONDS = 5.0  # What a worker may take to hand over what it trains.
_LOOK_SECONDS = 0.05


class Listener(Protocol):
    """Receiver of the lines and ends of parts; called from several threads."""

    def line(self, part: str, line: str) -> None:
        """A part printed a line."""

    def death(self, part: str, sentence: str) -> None:
        """A part ended without being asked to, and is started again."""


class Silent:
    """The listener of programs that only want the address."""

    def line(self, part: str, line: str) -> None:
        """Ignore it."""

    def death(self, part: str, sentence: str) -> None:
        """Ignore it."""


class Supervisor:
    """Runs parts until it is asked to stop or one of them cannot be kept running."""

    part_type: type[Part] = Part

    def __init__(self, log_dir: Path, listener: Listener | None = None) -> None:
        self.parts: dict[str, Part] = {}
        self._log_dir = log_dir
        self._listener = listener or Silent()
        self._foundations: set[str] = set()
        self._requests = 0  # How often the end was asked for.
        # Wakes whoever waits. Unlike an Event it may be used in a signal handler that interrupts the waiting itself.
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        foundation: bool = False,
    ) -> None:
        """Start a part. A foundation is stopped after all others have ended: they use it until then."""
        part = self.part_type(
            name,
            argv,
            log_dir=self._log_dir,
            env=env,
            pass_fds=pass_fds,
            on_line=self._listener.line,
            on_death=self._listener.death,
            on_failure=lambda: self._news.put(None),
        )
        self.parts[name] = part
        if foundation:
            self._foundations.add(name)
        part.start()

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Poll ``condition`` until it holds.

        Raises StackError when that takes longer than ``seconds``, a part is given up, or the end is asked for.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self.wait(_LOOK_SECONDS):
                raise StackError("Stopped before everything was up.")
            if time.monotonic() > deadline:
                tails = [line for part in self.parts.values() for line in (f"{part.name}:", *list(part.tail)[-5:])]
                raise StackError("\n  ".join([f"{what} did not answer within {seconds:g} s. Last lines:", *tails]))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for ``ask_to_stop``, or so long; return whether it came. Raises StackError when a part is given up."""
        if not self._requests:
            with suppress(queue.Empty):
                self._news.get(timeout=seconds)
        for part in self.parts.values():
            if part.failure:
                raise StackError("\n  ".join([f"{part.name} {part.failure}. Its last lines:", *part.tail]))
        return self._requests > 0

    def ask_to_stop(self) -> None:
        """Make ``wait`` return; asked again, ``stop`` kills at once. Safe in a signal handler."""
        self._requests += 1
        self._news.put(None)

    def stop(self) -> None:
        """Stop all parts: SIGTERM, and SIGKILL for the whole process group of those that are not gone in time."""
        others = [part for name, part in self.parts.items() if name not in self._foundations]
        for stage in (others, [self.parts[name] for name in self._foundations]):
            for part in stage:
                part.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            for part in stage:
                while not (gone := part.join(min(deadline, time.monotonic() + _LOOK_SECONDS))):
                    if time.monotonic() >= deadline or self._requests > 1:
                        break
                if not gone:
                    part.kill()

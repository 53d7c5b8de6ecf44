"""Supervisor of several processes that start, run and stop together."""

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from service.cli.local.preconditions import StackError
from service.cli.local.supervised_process import SupervisedProcess
from service.observing.logs import readable

STOP_SECONDS = 5.0  # Time for a worker to hand its shards over.
_POLL_SECONDS = 0.05


class Listener(Protocol):
    """Receiver of lines and unexpected ends of processes; called from several threads."""

    def line(self, process: str, line: str) -> None:
        """Handle a line of output of a process."""

    def death(self, process: str, sentence: str) -> None:
        """Handle the unexpected end of a process, which is restarted."""


class Silent:
    """A listener that ignores everything."""

    def line(self, process: str, line: str) -> None:
        """Ignore it."""

    def death(self, process: str, sentence: str) -> None:
        """Ignore it."""


class Supervisor:
    """Runs processes until ``ask_to_stop`` is called or a process has failed for good."""

    process_type: type[SupervisedProcess] = SupervisedProcess

    def __init__(self, log_dir: Path, listener: Listener | None = None) -> None:
        self.processes: dict[str, SupervisedProcess] = {}
        self._log_dir = log_dir
        self._listener = listener or Silent()
        self._foundations: set[str] = set()
        self._requests = 0  # Calls of `ask_to_stop`.
        # Ends `wait`. Unlike an Event, it may be used in a signal handler that interrupts `wait` itself.
        self._wake_ups: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        foundation: bool = False,
    ) -> None:
        """Start a process. A foundation is stopped last, because the other processes use it."""
        process = self.process_type(
            name,
            argv,
            log_dir=self._log_dir,
            env=env,
            pass_fds=pass_fds,
            on_line=self._listener.line,
            on_death=self._listener.death,
            on_failure=lambda: self._wake_ups.put(None),
        )
        self.processes[name] = process
        if foundation:
            self._foundations.add(name)
        process.start()

    def wait_until(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        """Poll ``condition`` until it holds.

        Raises StackError after ``seconds``, if a process has failed for good, or if ``ask_to_stop`` was called.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if self.wait(_POLL_SECONDS):
                raise StackError("Stopped during the start.")
            if time.monotonic() > deadline:
                tails = [
                    line
                    for process in self.processes.values()
                    for line in (f"{process.name}:", *list(process.tail)[-5:])
                ]
                raise StackError("\n  ".join([f"{what} did not answer within {seconds:g} s. Last lines:", *tails]))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for ``ask_to_stop``, at most ``seconds``; return whether it was called.

        Raises StackError if a process has failed for good.
        """
        if not self._requests:
            with suppress(queue.Empty):
                self._wake_ups.get(timeout=seconds)
        for process in self.processes.values():
            if process.is_misconfigured and process.tail:
                raise StackError(readable(process.tail[-1])[1])
            if process.failure:
                raise StackError("\n  ".join([f"{process.name} {process.failure}. Its last lines:", *process.tail]))
        return self._requests > 0

    def ask_to_stop(self) -> None:
        """End ``wait``; after a second call ``stop`` kills at once. Safe in a signal handler."""
        self._requests += 1
        self._wake_ups.put(None)

    def stop(self) -> None:
        """Stop all processes: SIGTERM, then SIGKILL for the process groups of those that have not ended in time."""
        others = [process for name, process in self.processes.items() if name not in self._foundations]
        for stage in (others, [self.processes[name] for name in self._foundations]):
            for process in stage:
                process.ask_to_stop()
            deadline = time.monotonic() + STOP_SECONDS
            for process in stage:
                while not (ended := process.join(min(deadline, time.monotonic() + _POLL_SECONDS))):
                    if time.monotonic() >= deadline or self._requests > 1:
                        break
                if not ended:
                    process.kill()

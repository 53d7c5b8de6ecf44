"""One supervised process: start, output, restart after an unexpected end, and stop.

One thread starts the process, waits for its end and restarts it. A second thread reads the output while the process
runs.
"""

import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

from service.cli.local.leash import leashed
from service.observing import logs
from service.observing.exits import how_it_ended

SETTLED_SECONDS = 5.0  # A start has succeeded if the process runs this long; the count of quick ends is then reset.
MAX_FALSE_STARTS = 5  # Limit of restarts if no start has succeeded yet; the pauses between them add up to 3 s.
FIRST_PAUSE_SECONDS = 0.2  # Short, so that a killed process is back before clients give up.
LONGEST_PAUSE_SECONDS = 10.0  # Once a start has succeeded, restarts have no limit, and at most this interval.
ORPHANS_SECONDS = 0.3  # Children of an ended process need some milliseconds to end.
TAIL_LINES = 20  # Enough for a traceback's end.
LOG_BYTES = 10_000_000  # Size of a log file. One older file is kept, so a process uses at most twice as much.


class SupervisedProcess:
    """One process of the stack.

    ``on_line(name, line)`` is called for each line of output, ``on_death(name, sentence)`` after each unexpected end,
    ``on_failure()`` once, if the process is not restarted any more. The calls come from threads of this object.

    A process that ends with `os.EX_CONFIG` is not restarted; its last line states the reason.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        *,
        log_dir: Path,
        env: Mapping[str, str] | None = None,
        pass_fds: Sequence[int] = (),
        on_line: Callable[[str, str], None] = lambda name, line: None,
        on_death: Callable[[str, str], None] = lambda name, sentence: None,
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.failure: str | None = None
        self.is_misconfigured = False
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._argv = list(argv)
        self._env = {**os.environ, **(env or {})}
        # Not the current folder, from which Python could import a folder with the name of one of Ravine's packages.
        self._cwd = log_dir
        self._pass_fds = tuple(pass_fds)
        self._on_line, self._on_death, self._on_failure = on_line, on_death, on_failure
        self._log_path = log_dir / f"{name}.log"
        self._process: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # Between the start of the process and the request to stop.
        self._thread = threading.Thread(target=self._keep_running, name=f"supervise-{name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """Id of the running process; None between an end and a restart."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Start the process, and restart it after each unexpected end."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM; the process will not be restarted.

        The signal goes to this process only: a worker ends its own children after they have handed their shards over.
        """
        with self._lock:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def join(self, deadline: float) -> bool:
        """Wait for the end until ``time.monotonic()`` is ``deadline``; return whether the process has ended."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def kill(self) -> None:
        """Kill the process and its children."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.kill()  # The thread that waits for it kills the children.
        self._thread.join()

    def _keep_running(self) -> None:
        log, handler = logging.Logger(self.name), RotatingFileHandler(self._log_path, maxBytes=LOG_BYTES, backupCount=1)
        log.addHandler(handler)
        has_settled, quick_deaths = False, 0
        try:
            while not self._stopping.is_set():
                started = time.monotonic()
                sentence = self._live_once(log)
                if self._stopping.is_set():
                    return
                settled = time.monotonic() - started >= SETTLED_SECONDS
                has_settled, quick_deaths = has_settled or settled, 1 if settled else quick_deaths + 1
                log.info("%s", logs.line("warning", f"{self.name} {sentence}", process=self.name))
                if self.is_misconfigured:
                    self.failure = sentence
                elif not has_settled and quick_deaths >= MAX_FALSE_STARTS:
                    self.failure = f"{sentence} at each of {quick_deaths} attempts to start it"
                if self.failure is not None:
                    self._on_failure()
                    return
                self._on_death(self.name, f"{sentence}; starting it again")
                self._stopping.wait(min(FIRST_PAUSE_SECONDS * 2 ** min(quick_deaths - 1, 16), LONGEST_PAUSE_SECONDS))
        finally:
            handler.close()

    def _live_once(self, log: logging.Logger) -> str:
        """Run the process until it ends, and return the reason as a phrase."""
        self.tail.clear()
        with self._lock:
            if self._stopping.is_set():
                return "was stopped"
            try:
                self._process = self._popen()
            except OSError as error:
                return f"could not be started ({error})"
        process = self._process
        assert process.stdout is not None
        reader = threading.Thread(target=self._read, args=(process.stdout, log), daemon=True)
        reader.start()
        code = process.wait()
        _end_group(process.pid)  # Its children must neither continue nor hold the pipe open.
        reader.join(timeout=1.0)
        self.is_misconfigured = code == os.EX_CONFIG
        return how_it_ended(code)

    def _popen(self) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603  (the command comes from this package)
            leashed(self._argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=self._env,
            cwd=self._cwd,
            pass_fds=self._pass_fds,
            # A process group of its own: Ctrl-C in the terminal reaches only the supervisor.
            start_new_session=True,
        )

    def _read(self, output: IO[str], log: logging.Logger) -> None:
        with output:
            for line in output:
                text = line.rstrip()
                self.tail.append(text)
                log.info("%s", text)
                self._on_line(self.name, text)


def _end_group(leader: int) -> None:
    """Wait up to ``ORPHANS_SECONDS`` for the children of an ended process to end, then kill them.

    Children of a worker detect its end, and one of them releases its semaphores. The system does not reuse the id of
    the ended process while its group exists.
    """
    deadline = time.monotonic() + ORPHANS_SECONDS
    # macOS answers EPERM for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.01)
        os.killpg(leader, signal.SIGKILL)

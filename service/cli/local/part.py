"""One supervised process: started, read, restarted when it dies, stopped.

A part has one thread, which starts the process, waits for its end and starts it again, and a second one for as long as
the process lives, which reads what it prints.
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

SETTLED_SECONDS = 5.0  # A part that lives this long has started well; its next death counts as the first.
MAX_FALSE_STARTS = 5  # A part that never started well is given up after these, some three seconds of pauses in all.
FIRST_PAUSE_SECONDS = 0.2  # Short: a part that was killed should be back before a client gives up.
LONGEST_PAUSE_SECONDS = 10.0  # A part that started well once is restarted for ever, in the end at this interval.
ORPHANS_SECONDS = 0.3  # Processes whose parent has died need some milliseconds to follow.
TAIL_LINES = 20  # Enough for a traceback's end.
LOG_BYTES = 10_000_000  # A part's log file and the one before it: a night of work fits, a full disk does not follow.


class Part:
    """One process of the stack.

    ``on_line(name, line)`` gets what the process prints; ``on_death(name, sentence)`` every end that nobody asked
    for; ``on_failure()`` is called once, when the part is given up. All of them from the part's threads.
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
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._argv = list(argv)
        self._env = {**os.environ, **(env or {})}
        # Not the caller's folder: one in there that is named like a package of ours would be imported instead.
        self._cwd = log_dir
        self._pass_fds = tuple(pass_fds)
        self._on_line, self._on_death, self._on_failure = on_line, on_death, on_failure
        self._log_path = log_dir / f"{name}.log"
        self._process: subprocess.Popen[str] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # Between starting the process and being told to stop.
        self._thread = threading.Thread(target=self._keep_running, name=f"part-{name}", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process that runs now, or None between two lives."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Start the process, and again whenever it dies."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Send SIGTERM; the part will not be started again.

        Only the leader is asked: a worker ends its own children once they have handed over what they were doing.
        """
        with self._lock:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def join(self, deadline: float) -> bool:
        """Wait until ``time.monotonic()`` is ``deadline`` for the end of the part, and return whether it came."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        return not self._thread.is_alive()

    def kill(self) -> None:
        """End the process and everything that it has started, now."""
        self.ask_to_stop()
        if self._process is not None:
            self._process.kill()  # The thread, which waits for this, sees to the others.
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
                log.info("%s", logs.line("warning", f"{self.name} {sentence}", part=self.name))
                if not has_settled and quick_deaths >= MAX_FALSE_STARTS:
                    self.failure = f"{sentence} at each of {quick_deaths} attempts to start it"
                    self._on_failure()
                    return
                self._on_death(self.name, f"{sentence}; starting it again")
                self._stopping.wait(min(FIRST_PAUSE_SECONDS * 2 ** min(quick_deaths - 1, 16), LONGEST_PAUSE_SECONDS))
        finally:
            handler.close()

    def _live_once(self, log: logging.Logger) -> str:
        """Run the process until it ends, and return how it ended."""
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
        _end_group(process.pid)  # Its children must neither outlive it nor hold the pipe open.
        reader.join(timeout=1.0)
        return _how_it_ended(code)

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
            # Its own process group: the terminal's Ctrl-C reaches the supervisor alone.
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
    """Wait a moment for the processes that a dead one has left in its group, then kill them.

    A worker's children notice by themselves that it is gone, and one of them then gives back its semaphores. The number
    of a process is not given to a new one as long as a group has that number.
    """
    deadline = time.monotonic() + ORPHANS_SECONDS
    # macOS answers EPERM for a group of which only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(leader, 0)
            time.sleep(0.01)
        os.killpg(leader, signal.SIGKILL)


def _how_it_ended(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

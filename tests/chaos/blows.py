"""Fault injection: a schedule of faults ("blows") that depends on a seed, and its execution on real processes."""

import random
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, get_args

import psutil

from tests.postgres import Postgres
from tests.servers import Broker, Stack

Kind = Literal[
    "kill worker", "kill child", "kill API", "kill broker", "empty broker", "stop worker", "freeze worker",
    "freeze child", "restart database",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
# Relative frequencies; faults of training processes are the most frequent.
WEIGHTS = {"kill worker": 3, "kill child": 4, "freeze child": 3, "freeze worker": 2, "stop worker": 3}

LOADING_SECONDS = 0.5


@dataclass(frozen=True)
class Blow:
    """One fault after a pause. A freeze has a duration; ``pick`` in [0, 1) selects the process."""

    kind: Kind
    pause_seconds: float
    freeze_seconds: float
    pick: float


def schedule(seed: int, num: int, kinds: Sequence[Kind], *, pause_seconds: float, lease_seconds: float) -> list[Blow]:
    """Draw blows, the same for the same arguments; each kind occurs at least once if ``num`` allows it.

    Freezes are shorter than the lease as often as longer.
    """
    draw = random.Random(seed)
    chosen = [*kinds][:num]
    chosen += draw.choices(kinds, [WEIGHTS.get(kind, 1) for kind in kinds], k=num - len(chosen))
    draw.shuffle(chosen)
    return [
        Blow(kind, draw.uniform(0.3, 1.7) * pause_seconds, draw.uniform(0.2, 1.8) * lease_seconds, draw.random())
        for kind in chosen
    ]


class Hands:
    """Executes blows. Frozen processes are resumed, at the latest at the end of the block."""

    def __init__(self, stack: Stack, broker: Broker, postgres: Postgres | None) -> None:
        self._stack, self._broker, self._postgres = stack, broker, postgres
        self._frozen: dict[threading.Timer, psutil.Process] = {}

    def __enter__(self) -> "Hands":
        return self

    def __exit__(self, *_: object) -> None:
        for timer, process in self._frozen.items():
            timer.cancel()
            with suppress(psutil.NoSuchProcess):
                process.resume()

    def strike(self, blow: Blow) -> bool:
        """Execute a blow; False if the process does not exist at the moment."""
        match blow.kind:
            case "kill API":
                return self._signal(self._pids("api"), blow, signal.SIGKILL)
            case "kill broker":
                return self._signal([self._broker.process.pid], blow, signal.SIGKILL)
            case "empty broker":
                with suppress(ConnectionError):
                    self._broker.empty()
            case "restart database":
                assert self._postgres is not None
                self._postgres.halt()
                time.sleep(blow.freeze_seconds / 2)
                self._postgres.resume()
            case "kill worker":
                return self._signal(self._one_that_trains(blow, main=True), blow, signal.SIGKILL)
            case "stop worker":
                return self._signal(self._one_that_trains(blow, main=True), blow, signal.SIGTERM)
            case "freeze worker":
                return self._signal(self._one_that_trains(blow, main=True), blow, signal.SIGSTOP)
            case "kill child":
                return self._signal(self._one_that_trains(blow), blow, signal.SIGKILL)
            case "freeze child":
                return self._signal(self._one_that_trains(blow), blow, signal.SIGSTOP)
        return True

    def _signal(self, pids: Sequence[int | None], blow: Blow, number: signal.Signals) -> bool:
        there = [pid for pid in pids if pid is not None]
        if not there:
            return False
        try:
            process = psutil.Process(there[int(blow.pick * len(there))])
            process.send_signal(number)
        except psutil.NoSuchProcess:
            return False
        if number == signal.SIGSTOP:
            timer = threading.Timer(blow.freeze_seconds, _resume, [process])
            self._frozen[timer] = process
            timer.start()
        return True

    def _one_that_trains(self, blow: Blow, *, main: bool = False) -> list[int | None]:
        """In most cases the busiest training process or its worker, sometimes any."""
        worker_of = {child: pid for pid in self._workers() for child in children([pid])}
        there = sorted(worker_of)
        # A new process is busy too, but does not train yet.
        old = [child for child in there if _age_seconds(child) > LOADING_SECONDS]
        if old and blow.pick < 0.8:
            there = [busiest(old)]
        return [worker_of[child] for child in there] if main else [*there]

    def _pids(self, *names: str) -> list[int | None]:
        return [self._stack.processes[name].pid for name in names]

    def _workers(self) -> list[int | None]:
        return self._pids(*(name for name in self._stack.processes if name != "api"))


def children(workers: Sequence[int | None]) -> list[int]:
    """The training processes of some workers."""
    found = []
    for pid in workers:
        with suppress(psutil.NoSuchProcess):
            below = psutil.Process(pid).children() if pid is not None else []
            found += [child.pid for child in below if child.status() != psutil.STATUS_ZOMBIE]
    return sorted(found)


def busiest(pids: Sequence[int], seconds: float = 0.4) -> int:
    """The process with the highest processor load."""
    before = {pid: _cpu_seconds(pid) for pid in pids}
    time.sleep(seconds)
    return max(before, key=lambda pid: _cpu_seconds(pid) - before[pid])


def _cpu_seconds(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    return 0.0


def _age_seconds(pid: int) -> float:
    with suppress(psutil.NoSuchProcess):
        return time.time() - psutil.Process(pid).create_time()
    return 0.0


def _resume(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.resume()

"""Answers that take long to compute: each question is computed once at a time, and recent answers are kept.

A question is a text that names everything on which the answer depends: route, parameters, and the state of the jobs. A
route checks that the caller may see the jobs before it uses them.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import Request

from service.api.turns.disconnects import while_connected
from service.api.turns.turns import Turns

# Bytes of kept answers, of which pictures are the largest.
MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Computed:
    """The body of an answer; of a picture also its alternative text."""

    body: bytes
    alt: str = ""


@dataclass
class _Question:
    """A question without an answer yet. It begins when one of the requests that ask it has a turn."""

    begun: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    answer: asyncio.Future[Computed] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    num_asking: int = 0


class SharedAnswers:
    """The open questions and the kept answers of one process."""

    def __init__(self, turns: Turns, max_bytes: int = MAX_BYTES) -> None:
        self._turns, self._max_bytes = turns, max_bytes
        self._limiter: CapacityLimiter | None = None
        self._open: dict[str, _Question] = {}
        self._kept: OrderedDict[str, Computed] = OrderedDict()
        self._bytes = 0
        # The event loop has weak references to tasks only.
        self._tasks: set[asyncio.Task[Any]] = set()

    async def get(self, question: str, key: str, request: Request, compute: Callable[[], Computed]) -> Computed:
        """Give the kept answer, else the one that is being computed, else compute it in a thread.

        A request waits in the line of its own key, until any request with the question has a turn. The computation
        continues if its client disconnects. Its errors are raised in all requests that ask the question.

        Raises:
            TooManyWaiting, TooBusy, ClientDisconnect: As in ``Turns.acquire``.
        """
        if question in self._kept:
            self._kept.move_to_end(question)
            return self._kept[question]
        asked = self._open.setdefault(question, _Question())
        asked.num_asking += 1
        try:
            if not asked.begun.done() and await self._turns.acquire(key, request, unless=asked.begun):
                asked.begun.set_result(None)
                task = asyncio.create_task(self._answer(question, asked, key, compute))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            return await while_connected(request, asked.answer)
        finally:
            asked.num_asking -= 1
            if not asked.num_asking and not asked.begun.done():
                del self._open[question]

    async def _answer(self, question: str, asked: _Question, key: str, compute: Callable[[], Computed]) -> None:
        """Compute an answer with a turn that was taken, and give the turn back."""
        if self._limiter is None:
            # Beside the threads of all other requests.
            self._limiter = CapacityLimiter(self._turns.at_once)
        try:
            computed = await to_thread.run_sync(compute, limiter=self._limiter)
        except Exception as error:
            asked.answer.set_exception(error)
            # All clients may have disconnected; asyncio must not log that.
            asked.answer.exception()
        else:
            self._keep(question, computed)
            asked.answer.set_result(computed)
        finally:
            del self._open[question]
            self._turns.release(key)

    def _keep(self, question: str, computed: Computed) -> None:
        self._kept[question] = computed
        self._bytes += len(computed.body)
        while self._bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= len(oldest.body)

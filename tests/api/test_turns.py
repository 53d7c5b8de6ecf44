"""Turns: bounds in all and for each key, fairness between keys, and requests that leave the line."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from service.api.turns.turns import Turns
from service.errors import TooBusy, TooManyWaiting
from tests.api.clients import Client, settle


def turns(at_once: int = 2, max_waiting: int = 100, wait_seconds: float = 60.0) -> Turns:
    return Turns("comparisons", at_once=at_once, max_waiting=max_waiting, wait_seconds=wait_seconds)


class Workers:
    """Requests that hold their turns until they are told to end."""

    def __init__(self, tried: Turns) -> None:
        self._turns, self.begun = tried, list[str]()
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks = list[asyncio.Task[None]]()

    async def ask(self, *names: str) -> None:
        """Send requests; the first letter of a name is the key."""
        for name in names:
            self._ends[name] = asyncio.Event()
            self._tasks.append(asyncio.create_task(self._work(name)))
        await settle()

    async def _work(self, name: str) -> None:
        async with self._turns.take(name[0]):
            self.begun.append(name)
            await self._ends[name].wait()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await settle()

    async def end_all(self) -> None:
        for event in self._ends.values():
            event.set()
        await asyncio.gather(*self._tasks)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30.0))


def test_one_key_gets_half_of_the_turns_and_another_key_the_rest() -> None:
    async def test() -> None:
        workers = Workers(turns(at_once=4))
        await workers.ask(*(f"a{number}" for number in range(60)))
        assert workers.begun == ["a0", "a1"]
        await workers.ask("b0", "b1", "b2")
        assert workers.begun == ["a0", "a1", "b0", "b1"]
        await workers.end_all()
        assert len(workers.begun) == 63

    run(test())


def test_a_single_turn_is_shared_by_all_keys() -> None:
    assert turns(at_once=1).per_key == 1
    assert turns(at_once=3).per_key == 2


def test_keys_are_served_in_rotation_and_requests_of_a_key_in_their_order() -> None:
    async def test() -> None:
        workers = Workers(turns(at_once=1))
        await workers.ask("a0", "a1", "a2", "a3", "b0", "b1", "c0")
        for name in ("a0", "a1", "b0", "c0", "a2", "b1"):
            await workers.end(name)
        assert workers.begun == ["a0", "a1", "b0", "c0", "a2", "b1", "a3"]
        await workers.end_all()

    run(test())


def test_another_key_waits_for_the_work_in_progress_only() -> None:
    async def test() -> None:
        workers = Workers(turns(at_once=1))
        await workers.ask(*(f"a{number}" for number in range(60)), "b0")
        await workers.end("a0")
        await workers.end("a1")
        assert "b0" in workers.begun
        await workers.end_all()

    run(test())


def test_waiting_holds_no_thread() -> None:
    async def test() -> None:
        before = threading.active_count()
        workers = Workers(turns(at_once=2))
        await workers.ask(*(f"a{number}" for number in range(100)))
        assert workers.begun == ["a0"]
        assert threading.active_count() == before
        await workers.end_all()

    run(test())


def test_more_waiting_requests_than_allowed_are_429_with_a_time_to_retry() -> None:
    async def test() -> None:
        tried = turns(max_waiting=2)
        workers = Workers(tried)
        await workers.ask("a0", "a1", "a2", "b0")
        with pytest.raises(TooManyWaiting, match="2 requests of this key for comparisons wait already") as refused:
            await tried.acquire("a")
        assert refused.value.status == 429
        assert int(refused.value.headers["Retry-After"]) > 0
        # Another key has a line of its own, and work that has begun goes on.
        await workers.ask("b1")
        going_on = asyncio.create_task(tried.acquire("a", has_begun=True))
        await settle()
        assert tried.num_waiting("a") == 3
        for name in ("a0", "a1", "a2"):
            await workers.end(name)
        assert await going_on
        tried.release("a")
        await workers.end_all()

    run(test())


def test_a_wait_that_takes_too_long_is_503_and_leaves_the_line() -> None:
    async def test() -> None:
        tried = turns(wait_seconds=0.01)
        await tried.acquire("a")
        with pytest.raises(TooBusy, match=r"for 0\.01 s") as refused:
            await tried.acquire("a")
        assert refused.value.status == 503
        assert tried.num_waiting("a") == 0
        tried.release("a")
        assert tried.acquire_now("a")

    run(test())


def test_a_client_that_disconnects_leaves_the_line() -> None:
    async def test() -> None:
        tried, client = turns(), Client()
        await tried.acquire("a")
        waiting = asyncio.create_task(tried.acquire("a", client.request))
        following = asyncio.create_task(tried.acquire("a"))
        await settle()
        client.leave()
        with pytest.raises(ClientDisconnect):
            await waiting
        assert tried.num_waiting("a") == 1
        tried.release("a")
        assert await following

    run(test())


@pytest.mark.parametrize("leaves", [True, False], ids=["disconnected", "cancelled"])
def test_a_turn_that_comes_while_its_request_leaves_is_passed_on_or_used(leaves: bool) -> None:
    async def test() -> None:
        tried, client = turns(), Client()
        await tried.acquire("a")
        waiting = asyncio.create_task(tried.acquire("a", client.request))
        await settle()
        tried.release("a")
        if leaves:
            client.leave()
            assert await waiting
            tried.release("a")
        else:
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert tried.acquire_now("a")
        assert tried.acquire_now("b")
        assert not tried.acquire_now("c")

    run(test())


def test_a_request_leaves_the_line_when_it_needs_no_turn_any_more() -> None:
    async def test() -> None:
        tried = turns()
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await tried.acquire("a")
        waiting = asyncio.create_task(tried.acquire("a", unless=begun))
        await settle()
        begun.set_result(None)
        assert not await waiting
        assert tried.num_waiting("a") == 0

    run(test())

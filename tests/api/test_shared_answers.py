"""The same question at once is computed once; recent answers are kept; errors are shared."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from service.api.turns.shared_answers import Computed, SharedAnswers
from service.api.turns.turns import Turns
from service.errors import Rejected
from tests.api.clients import Client, settle


class Asked:
    """Shared answers with questions whose computation waits until the test ends it, in threads."""

    def __init__(self, at_once: int = 2, max_bytes: int = 1_000) -> None:
        turns = Turns("comparisons", at_once=at_once, max_waiting=100, wait_seconds=60.0)
        self.answers = SharedAnswers(turns, max_bytes)
        self.turns, self.computed = turns, list[str]()
        self.may_end = threading.Event()

    def ask(self, question: str, key: str = "a", client: Client | None = None, size: int = 1) -> asyncio.Task[Computed]:
        """Send a request."""

        def compute() -> Computed:
            self.computed.append(question)
            assert self.may_end.wait(30.0)
            if question == "wrong":
                raise Rejected.at("query", "baseline", "no such label")
            return Computed(bytes(size))

        return asyncio.create_task(self.answers.get(question, key, (client or Client()).request, compute))

    async def begun(self, *questions: str) -> None:
        """Wait until the computations of these questions have begun."""
        while not set(questions) <= set(self.computed):
            await asyncio.sleep(0.001)


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 30.0))


def test_the_same_question_at_once_is_computed_once() -> None:
    async def test() -> None:
        asked = Asked()
        tasks = [asked.ask("one", key) for key in "a" * 30 + "b" * 30]
        await asked.begun("one")
        tasks += [asked.ask("one", key) for key in "ab"]
        await settle()
        asked.may_end.set()
        found = await asyncio.gather(*tasks)
        assert asked.computed == ["one"]
        assert all(one is found[0] for one in found)
        assert await asked.ask("one") is found[0]
        assert asked.computed == ["one"]

    run(test)


def test_other_questions_are_computed_and_a_key_has_half_of_the_turns() -> None:
    async def test() -> None:
        asked = Asked()
        tasks = [asked.ask(f"a{number}") for number in range(20)]
        await asked.begun("a0")
        tasks.append(asked.ask("b0", "b"))
        await asked.begun("b0")
        assert asked.computed == ["a0", "b0"]
        asked.may_end.set()
        await asyncio.gather(*tasks)
        assert len(asked.computed) == 21

    run(test)


def test_a_question_of_a_busy_key_begins_with_the_turn_of_another_key_that_asks_it() -> None:
    async def test() -> None:
        asked = Asked()
        tasks = [asked.ask("first"), asked.ask("second"), asked.ask("shared")]
        await asked.begun("first")
        tasks.append(asked.ask("shared", "b"))
        await asked.begun("shared")
        assert asked.computed == ["first", "shared"]
        assert asked.turns.num_waiting("a") == 1
        asked.may_end.set()
        await asyncio.gather(*tasks)

    run(test)


def test_the_others_get_the_answer_if_the_first_client_disconnects() -> None:
    async def test() -> None:
        asked, client = Asked(), Client()
        first, second = asked.ask("one", client=client), asked.ask("one")
        await asked.begun("one")
        client.leave()
        with pytest.raises(ClientDisconnect):
            await first
        asked.may_end.set()
        assert (await second).body == bytes(1)
        assert asked.computed == ["one"]

    run(test)


def test_a_question_that_nobody_asks_any_more_is_not_computed() -> None:
    async def test() -> None:
        asked, client = Asked(), Client()
        first, waiting = asked.ask("one"), asked.ask("two", client=client)
        await asked.begun("one")
        client.leave()
        with pytest.raises(ClientDisconnect):
            await waiting
        asked.may_end.set()
        await first
        await settle()
        assert asked.computed == ["one"]
        await asked.ask("two")
        assert asked.computed == ["one", "two"]

    run(test)


def test_an_error_is_shared_not_kept_and_gives_the_turn_back() -> None:
    async def test() -> None:
        asked = Asked(at_once=1)
        tasks = [asked.ask("wrong") for _ in range(3)]
        await asked.begun("wrong")
        asked.may_end.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in found] == [Rejected] * 3
        assert asked.computed == ["wrong"]
        with pytest.raises(Rejected):
            await asked.ask("wrong")
        assert asked.computed == ["wrong"] * 2
        assert asked.turns.acquire_now("b")

    run(test)


def test_the_least_recent_answers_are_removed_and_large_ones_are_not_kept() -> None:
    async def test() -> None:
        asked = Asked(max_bytes=250)
        asked.may_end.set()
        for question in ("one", "two", "one", "three", "one", "two"):
            await asked.ask(question, size=100)
        assert asked.computed == ["one", "two", "three", "two"]
        for _ in range(2):
            assert len((await asked.ask("large", size=1_000)).body) == 1_000
        assert asked.computed[-2:] == ["large", "large"]

    run(test)

"""Races leave neither listeners nor memory behind."""

import pytest
from playwright.sync_api import CDPSession, expect

from tests.page.conftest import count, on_one_stack, wait_for_count
from tests.page.races import OpenPage, open_race
from tests.thorough import examples

pytestmark = on_one_stack


def heap_bytes(session: CDPSession) -> int:
    """The bytes of the page's objects after a collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


@pytest.mark.slow
def test_listeners_and_memory_do_not_grow_from_race_to_race(new_page: OpenPage) -> None:
    page = open_race(new_page, "?o=sgd,lr:0.015&steps=20")
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def listeners_after(races: int) -> int:
        for _ in range(races):
            raced = count(page, "raced")
            page.keyboard.press("r")
            wait_for_count(page, "raced", raced + 1)
            expect(page.locator(".view[data-state=current] .readouts table")).to_be_visible()
        session.send("HeapProfiler.collectGarbage")
        metrics = session.send("Performance.getMetrics")["metrics"]
        return int(next(one["value"] for one in metrics if one["name"] == "JSEventListeners"))

    first = listeners_after(10)
    heap = heap_bytes(session)
    assert listeners_after(examples(90, 990)) <= first + 2
    # Races with their jobs, curves and tables leave less than 2 MB.
    assert heap_bytes(session) <= heap + 2_000_000

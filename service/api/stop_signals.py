"""Callbacks at SIGTERM and SIGINT, before the server waits for open connections.

uvicorn shuts an application down after the last answer has ended. Event streams end only when they are closed, and
therefore need the signal earlier.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def before_stop(call: Callable[[], None]) -> Iterator[None]:
    """Run ``call`` on this thread's event loop at SIGTERM or SIGINT, in addition to the present signal handler."""
    if threading.current_thread() is not threading.main_thread():
        # Python delivers signals to the main thread only. An application in another thread is stopped without them.
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    replaced = [number for number, handler in handlers.items() if callable(handler)]
    for number in replaced:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, handlers[number])

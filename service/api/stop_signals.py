"""How does a part of the process hear of a stop before the server waits for open connections?

uvicorn tells an application to shut down when the last answer has ended; answers that end only when they are told to
need to hear of it earlier.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def before_stop(call: Callable[[], None]) -> Iterator[None]:
    """Have ``call`` run on this thread's event loop when SIGTERM or SIGINT comes, besides what is done with it now."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are for main threads; whoever runs the application in another one stops it some other way.
        yield
        return
    loop = asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def tell(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(call)
        handler = handlers[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    replaced = [number for number, handler in handlers.items() if callable(handler)]
    for number in replaced:
        signal.signal(number, tell)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, handlers[number])

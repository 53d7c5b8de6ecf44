"""Clients of requests that no server receives: they stay connected until a test lets them leave."""

import asyncio

from fastapi import Request
from starlette.types import Message


class Client:
    """A client and its request."""

    def __init__(self) -> None:
        self._left = asyncio.Event()
        self.request = Request({"type": "http", "method": "GET", "headers": [], "state": {}}, self._receive)

    def leave(self) -> None:
        """Disconnect."""
        self._left.set()

    async def _receive(self) -> Message:
        await self._left.wait()
        return {"type": "http.disconnect"}


async def settle() -> None:
    """Let all tasks run until each of them waits."""
    for _ in range(20):
        await asyncio.sleep(0)

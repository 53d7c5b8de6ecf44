"""Detection of clients that disconnect while their requests wait."""

import asyncio
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

Found = TypeVar("Found")


async def disconnected(request: Request) -> None:
    """Wait until the client disconnects. The body of the request must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def while_connected(request: Request, shared: asyncio.Future[Found]) -> Found:
    """Await a future that others await too; it is not cancelled.

    Raises:
        ClientDisconnect: The client has disconnected first.
    """
    if shared.done():
        return shared.result()
    leaving = asyncio.ensure_future(disconnected(request))
    waiting: set[asyncio.Future[Any]] = {shared, leaving}
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not shared.done():
            raise ClientDisconnect
        return shared.result()
    finally:
        leaving.cancel()

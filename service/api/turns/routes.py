"""Routes whose requests take a turn before their body is parsed.

A function that is no coroutine takes a turn of its method: to read or to write. A coroutine takes what it needs by
itself: most answer from memory or wait for shared work. ``in_turn`` names another kind.
"""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from service.api.doors.identification import identify
from service.api.turns.work import Kind, Work

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def in_turn(kind: Kind) -> Callable[[Endpoint], Endpoint]:
    """Make the requests of an endpoint take turns of this kind."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.turn_kind = kind  # type: ignore[attr-defined]
        return endpoint

    return mark


class TurnRoute(APIRoute):
    """A route whose requests wait for a turn of their caller, in the event loop."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler of the route."""
        handle, kind = super().get_route_handler(), self.turn_kind()
        if kind is None:
            return handle

        async def handle_in_turn(request: Request) -> Response:
            caller = await identify(request)
            # Bytes only: a parsed body takes up to twenty times the memory.
            await request.body()
            work: Work = request.app.state.work
            async with work.turns(kind).take(caller.id, request):
                return await handle(request)

        return handle_in_turn

    def turn_kind(self) -> Kind | None:
        """Name the kind of turn of each request; None if it takes none."""
        marked: Kind | None = getattr(self.endpoint, "turn_kind", None)
        if marked is not None or inspect.iscoroutinefunction(self.endpoint):
            return marked
        return Kind.READ if "GET" in (self.methods or ()) else Kind.WRITE

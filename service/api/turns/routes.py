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
from service.jobs.owners import Caller

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


# A body is held many times over while it is parsed: bodies up to this size may be parsed at once without concern.
SMALL_BYTES = 32_768

# Answers a request without FastAPI, or gives None.
Plain = Callable[[Request, Caller], Coroutine[Any, Any, Response | None]]


def in_turn(kind: Kind, *, large: Kind | None = None) -> Callable[[Endpoint], Endpoint]:
    """Make the requests of an endpoint take turns of this kind, those with large bodies of the kind ``large``."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.turn_kind, endpoint.large_kind = kind, large or kind  # type: ignore[attr-defined]
        return endpoint

    return mark


def plainly(plain: Plain) -> Callable[[Endpoint], Endpoint]:
    """Let a function answer the plain requests of an endpoint."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.plain = plain  # type: ignore[attr-defined]
        return endpoint

    return mark


class TurnRoute(APIRoute):
    """A route whose requests wait for a turn of their caller, in the event loop."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Make the handler of the route."""
        handle, kind = super().get_route_handler(), self.turn_kind()
        if kind is None:
            return handle
        large: Kind = getattr(self.endpoint, "large_kind", kind)
        plain: Plain | None = getattr(self.endpoint, "plain", None)

        async def handle_in_turn(request: Request) -> Response:
            caller = await identify(request)
            # Bytes only: a parsed body takes up to twenty times the memory.
            body = await request.body()
            work: Work = request.app.state.work
            async with work.turns(large if len(body) > SMALL_BYTES else kind).take(caller.id, request):
                answered = None if plain is None else await plain(request, caller)
                return answered or await handle(request)

        return handle_in_turn

    def turn_kind(self) -> Kind | None:
        """Name the kind of turn of each request; None if it takes none."""
        marked: Kind | None = getattr(self.endpoint, "turn_kind", None)
        if marked is not None or inspect.iscoroutinefunction(self.endpoint):
            return marked
        return Kind.READ if "GET" in (self.methods or ()) else Kind.WRITE

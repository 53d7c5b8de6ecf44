"""The caller of a request."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.api.doors.authentication import Authentication
from service.api.doors.foreign_pages import refuse_proxy
from service.jobs.owners import ANYBODY, Caller


async def identify(request: Request) -> Caller:
    """Identify the caller, once for each request.

    Raises:
        Unauthorized: The key is missing or wrong.
        Forbidden: A proxy forwarded the request to an API without keys.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    authentication: Authentication = request.app.state.authentication
    server = request.scope.get("server")
    credentials = request.headers.get("authorization"), server[0] if server else None
    caller = authentication.cached_caller(*credentials)
    if caller is None:
        caller = await run_in_threadpool(authentication.caller, *credentials)
    if caller is ANYBODY:
        refuse_proxy(request.headers)
    request.state.caller = caller
    return caller

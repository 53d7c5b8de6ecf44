"""The caller of a request."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from service.api.doors.authentication import Authentication, Credentials, bearer_key
from service.api.doors.foreign_pages import refuse_proxy
from service.api.doors.session_cookie import require_page, token_of
from service.jobs.owners import ANYBODY, Caller


async def identify(request: Request) -> Caller:
    """Identify the caller, once for each request.

    Raises:
        Unauthorized: The key or the session is missing or invalid.
        Forbidden: A proxy forwarded the request to an API without keys, or a page of another site sent the write.
    """
    known: Caller | None = getattr(request.state, "caller", None)
    if known is not None:
        return known
    authentication: Authentication = request.app.state.authentication
    server = request.scope.get("server")
    given = Credentials(
        key=bearer_key(request.headers.get("authorization")),
        session=token_of(request),
        server=server[0] if server else None,
    )
    caller = authentication.cached_caller(given)
    if caller is None:
        caller = await run_in_threadpool(authentication.caller, given)
    if caller is ANYBODY:
        refuse_proxy(request.headers)
    elif given.key is None:
        require_page(request)
    request.state.caller = caller
    return caller

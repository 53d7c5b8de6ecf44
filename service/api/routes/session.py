"""Routes of the session of a browser: sign in, see who is signed in, sign out."""

from fastapi import Request, Response

from service.api.doors.authentication import bearer_key
from service.api.doors.session_cookie import remove_token, set_token, token_of
from service.api.http.json_answers import answer
from service.api.routes.dependencies import TheAuthentication, TheCaller, TheDatabase, TheSettings, guarded
from service.api.schemas.session import SessionAnswer
from service.api.turns.routes import TurnRoute
from service.database.connection import Database
from service.errors import Unauthorized
from service.jobs import browser_sessions, owners
from service.jobs.owners import ANYBODY, Caller

router = guarded("/v1/session", "session", TurnRoute)
_NOT_STORED = {"Cache-Control": "no-store"}


@router.post("", operation_id="create_session", responses={200: {"model": SessionAnswer}})
def sign_in(
    request: Request,
    caller: TheCaller,
    authentication: TheAuthentication,
    database: TheDatabase,
    settings: TheSettings,
) -> Response:
    """Sign a browser in with the key in the header Authorization; a cookie keeps the session.

    The cookie is `HttpOnly` and `SameSite=Strict`, with HTTPS also `Secure`, and lasts `RAVINE_SESSION_SECONDS`. Writes
    that it authorises need the header `Ravine-Page`. An API without keys sets no cookie.
    """
    if caller is ANYBODY:
        return _shown(database, caller)
    if bearer_key(request.headers.get("authorization")) is None:
        raise Unauthorized("a key is needed to sign in: send `Authorization: Bearer <key>`")
    before = token_of(request)
    with database.transaction() as session:
        if before is not None:
            browser_sessions.end(session, before)
        token = browser_sessions.create(session, caller, seconds=settings.session_seconds)
    if before is not None:
        authentication.forget(before)
    response = _shown(database, caller)
    set_token(request, response, token, settings.session_seconds)
    return response


@router.get("", operation_id="get_session", responses={200: {"model": SessionAnswer}})
def get(caller: TheCaller, database: TheDatabase) -> Response:
    """Get the name of the key that the request is made with, or that none is required."""
    return _shown(database, caller)


@router.delete("", status_code=204, operation_id="delete_session")
def sign_out(request: Request, caller: TheCaller, authentication: TheAuthentication, database: TheDatabase) -> Response:
    """Sign the browser out in all of its tabs; the cookie becomes invalid."""
    token = token_of(request)
    if token is not None:
        with database.transaction() as session:
            browser_sessions.end(session, token)
        authentication.forget(token)
    response = Response(status_code=204, headers=_NOT_STORED)
    remove_token(request, response)
    return response


def _shown(database: Database, caller: Caller) -> Response:
    if caller is ANYBODY:
        return answer(SessionAnswer(required=False, name=None, admin=True), headers=_NOT_STORED)
    with database.snapshot() as session:
        name = owners.name_of(session, caller.id)
    return answer(SessionAnswer(required=True, name=name, admin=caller.is_admin), headers=_NOT_STORED)

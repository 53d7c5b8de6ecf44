"""Is this process up, and can it do its work?"""

from fastapi import APIRouter, Response

from service.routes.answers import TheDatabase, TheDispatcher, answer
from service.schemas.answers import Problem
from service.version import VERSION

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="healthz")
def healthz() -> Response:
    """Tell that the process is up."""
    return answer({"status": "ok", "version": VERSION})


@router.get("/readyz", operation_id="readyz", responses={503: {"model": Problem}})
def readyz(database: TheDatabase, dispatcher: TheDispatcher) -> Response:
    """Tell that database and broker are reachable; 503 says which is not."""
    database.check()
    dispatcher.check()
    return answer({"status": "ready", "version": VERSION})

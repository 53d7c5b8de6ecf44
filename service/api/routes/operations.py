"""Routes for operators: health, readiness, and Prometheus metrics."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from service.api.http.json_answers import answer
from service.api.routes.dependencies import TheCaller, TheDatabase, TheDispatcher
from service.api.schemas.answers import Problem
from service.api.schemas.catalogue import Health
from service.database.revisions import check
from service.errors import Forbidden
from service.settings import VERSION

router = APIRouter(tags=["operations"])


@router.get("/healthz", operation_id="get_health", responses={200: {"model": Health}})
def healthz() -> Response:
    """Answer 200 if the process runs."""
    return answer({"status": "ok", "version": VERSION})


@router.get("/readyz", operation_id="get_readiness", responses={200: {"model": Health}, 503: {"model": Problem}})
def readyz(database: TheDatabase, dispatcher: TheDispatcher) -> Response:
    """Answer 200 if database and broker are reachable and rows can be stored; 503 gives the reason."""
    check(database)
    database.require_space()
    dispatcher.check()
    return answer({"status": "ready", "version": VERSION})


@router.get(
    "/metrics",
    operation_id="get_service_metrics",
    response_class=Response,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "Metrics in Prometheus' text format.",
        },
        401: {"model": Problem, "description": "The key is missing, wrong or revoked."},
        403: {"model": Problem, "description": "The key is not an admin key."},
    },
)
def metrics(request: Request, caller: TheCaller) -> Response:
    """Get metrics of the service for Prometheus. If keys are required, an admin key is."""
    if not caller.is_admin:
        raise Forbidden("the metrics of the service require an admin key: `ravine keys create --admin` makes one")
    # The version of the text format that every scraper reads.
    return Response(generate_latest(request.app.state.measures.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

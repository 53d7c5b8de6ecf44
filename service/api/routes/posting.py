"""POST of a job: the answer, and the short way of a plain request to it."""

import json
from dataclasses import asdict

from fastapi import Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from service.api.creations import Creations
from service.api.http.json_answers import JSON, answer
from service.api.posted_data import complete
from service.api.routes.foreign_kinds import settled
from service.api.schemas.jobs import AtMost, DryRun, size_of
from service.jobs.creating import Order
from service.jobs.limits import affordable
from service.jobs.owners import Caller
from service.observing import tracing
from service.spec.batches import price_at_most
from service.spec.job import JobSpec
from service.spec.presets.expansion import PostedJob, UnsettledJob
from service.spec.price import Price
from service.spec.runs import Runs

_POSTED: TypeAdapter[JobSpec | UnsettledJob] = TypeAdapter(PostedJob)
# A longer body may take milliseconds to refuse, which FastAPI would do a second time.
_PLAIN_BYTES = 8_192
_ANY_JSON = frozenset({"*/*", JSON})


async def answer_posted(
    posted: JobSpec | UnsettledJob, request: Request, caller: Caller, *, dry_run: bool, idempotency_key: str | None
) -> Response:
    """Store a job, or answer its size.

    Raises:
        Rejected, RequestValidationError, DiskFull: The job is not accepted.
        TooMuchOpen, QuotaReached: The jobs of the caller reach a limit.
    """
    traceparent = tracing.carrier().get("traceparent")

    def prepare() -> Order | DryRun:
        state = request.app.state
        spec, dataset_key = complete(settled(posted, state.database), caller.id, state.database, state.tables)
        cost = affordable(spec, state.settings)
        if dry_run:
            return _size(spec, cost)
        state.database.require_space()
        order = Order(spec, cost, caller.id, dataset_key, idempotency_key, traceparent)
        order.compute()
        return order

    prepared = await run_in_threadpool(prepare)
    if isinstance(prepared, DryRun):
        return answer(prepared)
    creations: Creations = request.app.state.creations
    stored = await creations.store(prepared)
    return Response(stored.body, 202, {"Location": f"/v1/jobs/{stored.id}"}, media_type=JSON)


def _size(spec: JobSpec, cost: Price) -> DryRun:
    runs = Runs(spec)
    at_most = AtMost(seeds=spec.decide.max_seeds, **size_of(price_at_most(spec))) if spec.decide else None
    first_runs = [asdict(runs[index]) for index in range(min(20, len(runs)))]
    return DryRun(seeds=runs.num_seeds, **size_of(cost), at_most=at_most, runs=first_runs)


async def post_plainly(request: Request, caller: Caller) -> Response | None:
    """Answer a valid body without parameters, whose media types need no negotiation; None for any other request.

    FastAPI resolves its dependencies in as much time as the rest of the request takes. It also answers all errors of
    the body.
    """
    headers, body = request.headers, await request.body()
    if (
        request.scope["query_string"]
        or "idempotency-key" in headers
        or headers.getlist("content-type") != [JSON]
        or not _ANY_JSON.issuperset(headers.getlist("accept"))
        or len(body) > _PLAIN_BYTES
    ):
        return None
    try:
        posted = _POSTED.validate_python(json.loads(body))
    except (ValueError, RecursionError):
        return None
    return await answer_posted(posted, request, caller, dry_run=False, idempotency_key=None)

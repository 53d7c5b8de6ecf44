"""The status of a job, without the routing and dependencies of FastAPI, which would take half of the time of a poll.

``STATUS`` answers before ``get_job`` of jobs.py, which documents the route, does.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.doors.identification import identify
from service.api.http.conditional import answer_with_tag
from service.api.http.json_answers import JSON
from service.api.http.negotiation import negotiate
from service.api.polling import Polls
from service.jobs.owners import Caller


async def answer_status(request: Request, job_id: str, caller: Caller) -> Response:
    """Answer a job with its entity tag, or 304 if the client has it.

    Raises:
        NotFound: The caller has no job with this id.
    """
    polls: Polls = request.app.state.polls
    polled = await polls.get(job_id, caller)
    return answer_with_tag(request, polled.body, polled.tag, JSON)


async def _poll(request: Request) -> Response:
    request.scope["route"] = STATUS
    caller = await identify(request)
    negotiate(request, [JSON])
    return await answer_status(request, request.path_params["job_id"], caller)


STATUS = Route("/v1/jobs/{job_id}", _poll, methods=["GET"], include_in_schema=False)

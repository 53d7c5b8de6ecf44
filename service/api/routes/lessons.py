"""Routes of lessons: statements of teaching texts, their jobs, and their verdicts."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from service.api.http.json_answers import answer
from service.api.posted_data import complete
from service.api.routes.dependencies import (
    Documented,
    TheCaller,
    TheDatabase,
    TheDispatcher,
    TheSettings,
    TheWork,
    guarded,
)
from service.api.routes.presets import preset_answer
from service.api.schemas.answers import Page, Problem
from service.api.schemas.jobs import receipt_of
from service.api.schemas.lessons import LessonAnswer, LessonItem, LessonJob, StoredResult
from service.api.turns.routes import TurnRoute
from service.api.turns.shared_answers import Computed
from service.api.turns.work import Work
from service.database.connection import Database
from service.database.lessons import LessonRecord
from service.database.tables import Job
from service.errors import Forbidden, NotFound
from service.findings.ledger import records as ledger
from service.findings.ledger.stored_results import stored
from service.findings.lessons import LESSONS, TEXTS, Lesson
from service.jobs import lifecycle
from service.jobs.limits import affordable
from service.jobs.owners import Caller
from service.observing import tracing
from service.spec.datasets.decoded import DecodedTables
from service.spec.job import JobSpec
from service.spec.presets import PRESETS

router = guarded("/v1/lessons", "lessons", TurnRoute)
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such lesson."}}


@router.get("", operation_id="list_lessons", responses={200: {"model": Page[LessonItem]}})
async def list_lessons(request: Request, caller: TheCaller, database: TheDatabase, work: TheWork) -> Response:
    """List all lessons with their verdicts; a lesson whose jobs have completed is judged by this request."""
    await _judge(LESSONS.values(), request, caller, database, work)
    return await run_in_threadpool(_listed, database)


def _listed(database: Database) -> Response:
    with database.snapshot() as session:
        known = ledger.records(session)
        items = []
        for lesson in LESSONS.values():
            record = known.get(lesson.id)
            of_lesson = ledger.jobs_of(session, record) if record and not ledger.is_judged(record) else {}
            items.append(_item(lesson, record, of_lesson))
    return answer({"items": items, "next": None})


@router.get("/{lesson_id}", operation_id="get_lesson", responses={200: {"model": LessonAnswer}, **NOT_FOUND})
async def get_lesson(
    lesson_id: str, request: Request, caller: TheCaller, database: TheDatabase, work: TheWork
) -> Response:
    """Get a lesson with its numbers, intervals, specs and jobs."""
    lesson = _find(lesson_id)
    await _judge([lesson], request, caller, database, work)
    return answer(await run_in_threadpool(_shown, database, lesson, caller))


@router.post(
    "/{lesson_id}/jobs",
    status_code=202,
    operation_id="run_lesson",
    responses={202: {"model": LessonAnswer}, **NOT_FOUND},
)
def run(
    lesson_id: str,
    request: Request,
    caller: TheCaller,
    database: TheDatabase,
    dispatcher: TheDispatcher,
    settings: TheSettings,
) -> Response:
    """Submit the jobs of a lesson. If keys are required, an admin key is: all callers share the lessons.

    The first request after the jobs have completed judges the lesson. The previous verdict stays until then.
    """
    lesson = _find(lesson_id)
    if not caller.is_admin:
        raise Forbidden(
            "running a lesson requires an admin key, because its verdict is shown to all callers: "
            "`ravine keys create --name NAME --admin` makes one. "
            f'With any key, POST /v1/jobs {{"preset": "{lesson.presets[0]}"}} runs its experiment'
        )
    tables: DecodedTables = request.app.state.tables
    specs = {}
    for preset in lesson.presets:
        posted = JobSpec.model_validate({"name": PRESETS[preset].title, **PRESETS[preset].spec})
        # Lessons use built-in datasets only, which have no key.
        specs[preset], _ = complete(posted, caller.id, database, tables)
    costs = {preset: affordable(spec, settings) for preset, spec in specs.items()}
    database.require_space()
    traceparent = tracing.carrier().get("traceparent")
    with database.transaction() as session:
        created = {
            preset: lifecycle.create(
                session, spec, costs[preset], owner=caller.id, settings=settings, traceparent=traceparent
            )[0]
            for preset, spec in specs.items()
        }
        ledger.submit(session, lesson, {preset: job.id for preset, job in created.items()})
    # Before a worker begins, because a lesson whose jobs have completed would be judged.
    shown = _shown(database, lesson, caller)
    for cost in costs.values():
        dispatcher.announce(cost)
    return answer(shown, 202, {"Location": f"/v1/lessons/{lesson.id}"})


def _find(lesson_id: str) -> Lesson:
    if lesson_id not in LESSONS:
        raise NotFound(f"there is no lesson {lesson_id!r}; there are {', '.join(LESSONS)}")
    return LESSONS[lesson_id]


async def _judge(lessons: Iterable[Lesson], request: Request, caller: Caller, database: Database, work: Work) -> None:
    """Compute and store the findings of those lessons whose jobs have completed and were not judged."""
    for lesson, record in await run_in_threadpool(_completed, database, lessons):
        question = f"lesson {lesson.id} {record.job_ids}"
        await work.answers.get(question, caller.id, request, partial(_keep_finding, database, lesson, record))


def _completed(database: Database, lessons: Iterable[Lesson]) -> list[tuple[Lesson, LessonRecord]]:
    with database.snapshot() as session:
        known = ledger.records(session)
        recorded = [(lesson, known[lesson.id]) for lesson in lessons if lesson.id in known]
        return [
            (lesson, record)
            for lesson, record in recorded
            if not ledger.is_judged(record)
            and ledger.state(record, ledger.jobs_of(session, record)) == ledger.COMPLETED
        ]


def _keep_finding(database: Database, lesson: Lesson, record: LessonRecord) -> Computed:
    with database.snapshot() as session:
        finding = ledger.judged(session, lesson, ledger.jobs_of(session, record))
    with database.transaction() as session:
        ledger.keep(session, record, finding)
    return Computed(b"")


def _item(lesson: Lesson, record: LessonRecord | None, of_lesson: dict[str, Job]) -> LessonItem:
    finding, state = _finding(lesson, record), ledger.state(record, of_lesson)
    result = None if record and record.finding else stored(lesson.id)
    if state == ledger.COMPLETED:
        # The jobs have completed since the last lesson was judged; the next request judges them.
        state = ledger.RUNNING
    return LessonItem(
        id=lesson.id,
        texts=list(lesson.texts),
        statement=lesson.statement,
        state=state,
        verdict=finding["verdict"] if finding else None,
        stored=None if result is None else StoredResult.model_validate(result, extra="ignore"),
    )


def _finding(lesson: Lesson, record: LessonRecord | None) -> Mapping[str, Any] | None:
    """Give the finding of jobs of this server, else that of the package."""
    if record and record.finding:
        return record.finding
    result = stored(lesson.id)
    return None if result is None else result["finding"]


def _shown(database: Database, lesson: Lesson, caller: Caller) -> LessonAnswer:
    with database.snapshot() as session:
        record = ledger.records(session).get(lesson.id)
        of_lesson = ledger.jobs_of(session, record)
    finding = _finding(lesson, record)
    with database.snapshot() as session:
        record = ledger.records(session).get(lesson.id)
    here = f"/v1/lessons/{lesson.id}"
    return LessonAnswer(
        **_item(lesson, record, of_lesson).model_dump(),
        sources=[TEXTS[letter] for letter in lesson.texts],
        criterion=lesson.criterion,
        fairness=lesson.fairness,
        readings=finding["readings"] if finding else {},
        quantities=finding["quantities"] if finding else [],
        figures=finding["figures"] if finding else [],
        presets=[preset_answer(PRESETS[name]) for name in lesson.presets],
        jobs=[_job(preset, job_id, of_lesson.get(preset), caller) for preset, job_id in record.job_ids.items()]
        if record
        else [],
        judged_at=record.judged_at if record else None,
        links={"self": here, "jobs": f"{here}/jobs"},
    )


def _job(preset: str, job_id: str, job: Job | None, caller: Caller) -> LessonJob:
    here = f"/v1/jobs/{job_id}"
    is_visible = caller.is_admin or (job is not None and job.owner == caller.id)
    seconds = (job.finished_at - job.started_at).total_seconds() if job and job.finished_at and job.started_at else None
    return LessonJob(
        preset=preset,
        id=job_id if is_visible else None,
        status=job.status if job else None,
        seconds=seconds,
        receipt=receipt_of(job) if job else None,
        links={"self": here, "runs": f"{here}/runs", "metrics": f"{here}/metrics"} if is_visible else {},
    )

"""Routes of lessons: statements of teaching texts, their jobs, and their verdicts."""

from typing import Any

from fastapi import APIRouter, Response

from service.api.http.json_answers import answer
from service.api.routes.dependencies import Documented, TheCaller, TheDatabase, TheDispatcher, TheSettings
from service.api.routes.presets import preset_answer
from service.api.schemas.answers import Page, Problem
from service.api.schemas.jobs import receipt_of
from service.api.schemas.lessons import LessonAnswer, LessonItem, LessonJob
from service.database.connection import Database
from service.database.tables import Job, LessonRecord
from service.errors import Forbidden, NotFound
from service.findings.ledger import records as ledger
from service.findings.lessons import LESSONS, TEXTS, Lesson
from service.jobs import lifecycle
from service.jobs.limits import affordable
from service.jobs.owners import Caller
from service.observing import tracing
from service.spec.job import JobSpec
from service.spec.presets import PRESETS

router = APIRouter(prefix="/v1/lessons", tags=["lessons"])
NOT_FOUND: Documented = {404: {"model": Problem, "description": "There is no such lesson."}}


@router.get("", operation_id="list_lessons", responses={200: {"model": Page[LessonItem]}})
def list_lessons(database: TheDatabase) -> Response:
    """List all lessons with their verdicts; a lesson whose jobs have completed is judged by this request."""
    with database.snapshot() as session:
        known = ledger.records(session)
        items = []
        for lesson in LESSONS.values():
            record = known.get(lesson.id)
            of_lesson = ledger.jobs_of(session, record) if record and not ledger.is_judged(record) else {}
            items.append(_item(lesson, *_judged(database, lesson, record, of_lesson)))
    return answer({"items": items, "next": None})


@router.get("/{lesson_id}", operation_id="get_lesson", responses={200: {"model": LessonAnswer}, **NOT_FOUND})
def get_lesson(lesson_id: str, caller: TheCaller, database: TheDatabase) -> Response:
    """Get a lesson with its numbers, intervals, specs and jobs."""
    return answer(_shown(database, _find(lesson_id), caller))


@router.post(
    "/{lesson_id}/jobs",
    status_code=202,
    operation_id="run_lesson",
    responses={202: {"model": LessonAnswer}, **NOT_FOUND},
)
def run(
    lesson_id: str, caller: TheCaller, database: TheDatabase, dispatcher: TheDispatcher, settings: TheSettings
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
    specs = {
        preset: JobSpec.model_validate({"name": PRESETS[preset].title, **PRESETS[preset].spec})
        for preset in lesson.presets
    }
    costs = {preset: affordable(spec, settings) for preset, spec in specs.items()}
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
    for preset, job in created.items():
        shards = range(len(costs[preset].shards()))
        dispatcher.send(costs[preset].queue, ((job.key, number) for number in shards))
    return answer(shown, 202, {"Location": f"/v1/lessons/{lesson.id}"})


def _find(lesson_id: str) -> Lesson:
    if lesson_id not in LESSONS:
        raise NotFound(f"there is no lesson {lesson_id!r}; there are {', '.join(LESSONS)}")
    return LESSONS[lesson_id]


def _judged(
    database: Database, lesson: Lesson, record: LessonRecord | None, of_lesson: dict[str, Job]
) -> tuple[str, dict[str, Any] | None]:
    """Give the state and the finding of a lesson. If all its jobs have completed, compute and store the finding."""
    state = ledger.state(record, of_lesson)
    if record is None or state != ledger.COMPLETED:
        return state, record.finding if record else None
    with database.snapshot() as session:
        finding = ledger.judged(session, lesson, of_lesson)
    with database.transaction() as session:
        ledger.keep(session, record, finding)
    with database.snapshot() as session:
        kept = ledger.records(session)[lesson.id]
    # The lesson may have been submitted again in the meantime.
    return (ledger.JUDGED if ledger.is_judged(kept) else ledger.RUNNING), kept.finding


def _item(lesson: Lesson, state: str, finding: dict[str, Any] | None) -> LessonItem:
    return LessonItem(
        id=lesson.id,
        texts=list(lesson.texts),
        statement=lesson.statement,
        state=state,
        verdict=finding["verdict"] if finding else None,
    )


def _shown(database: Database, lesson: Lesson, caller: Caller) -> LessonAnswer:
    with database.snapshot() as session:
        record = ledger.records(session).get(lesson.id)
        of_lesson = ledger.jobs_of(session, record)
    state, finding = _judged(database, lesson, record, of_lesson)
    with database.snapshot() as session:
        record = ledger.records(session).get(lesson.id)
    here = f"/v1/lessons/{lesson.id}"
    return LessonAnswer(
        **_item(lesson, state, finding).model_dump(),
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
